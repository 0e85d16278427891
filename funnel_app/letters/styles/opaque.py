"""Opaque: hide from the inliner what it must not change: leftover styles, and attributes within tags."""

import re
from html import unescape

from funnel_app.letters.styles.leftover import Leftover
from funnel_app.letters.styles.stylesheet import Sheet, read_sheet
from funnel_app.letters.tags import MARK, START_TAG, Protected

_COMMENT_OR_STYLE = re.compile(
    r"<!--(?:.*?-->|.*\Z)|<style\b(?P<attributes>[^>]*)(?:>(?P<css>.*?)(?:</style\s*>|\Z)|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_VALUE_OR_MARK = re.compile(rf"=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+)|(?P<mark>{MARK.pattern})")
_MEDIA = re.compile(r"\bmedia\s*=\s*[\"']?([^\"'>]*)", re.IGNORECASE)
_FOR_ALL = {"", "all", "screen", "only screen"}
_OPEN, _CLOSE = "\ue002", "\ue003"
_STYLE_PLACE = re.compile(f"<!--{_OPEN}([0-9]+){_CLOSE}-->")
_ATTRIBUTE_PLACE = re.compile(f'{_OPEN}([0-9]+){_CLOSE}(?:="")?')
_INLINED = re.compile(r"\sstyle=\"([^\"]*)\"")
_OWN_STYLE = re.compile(r"(?<![\w-])(style\s*=\s*)([\"'])(.*?)\2", re.IGNORECASE | re.DOTALL)


class Opaque:
    """A page as an inliner may read it, and the way back."""

    def __init__(self, protected: Protected) -> None:
        self._protected = protected
        self._kept: list[str] = []
        page = protected.hiding_blocks()
        self._sheets = {found.start(): _sheet(found) for found in _COMMENT_OR_STYLE.finditer(page) if found["css"]}
        inlined = [sheet for sheet, for_all in self._sheets.values() if sheet and for_all]
        held = [sheet for sheet, for_all in self._sheets.values() if sheet and not for_all]
        self._leftover = Leftover(protected, inlined, held)
        page = _COMMENT_OR_STYLE.sub(self._style_set_aside, page)
        firm = self._leftover.firm_css()
        self.source = f"{START_TAG.sub(self._tag_set_aside, page)}{f'<style>{firm}</style>' if firm else ''}"

    def restored(self, page: str) -> str:
        """Return the inlined page with everything restored; styles of the body go into the head."""
        head, end, body = page.partition("</head>")
        late = "".join(self._kept[int(number)] for number in _STYLE_PLACE.findall(body))
        head = _STYLE_PLACE.sub(lambda found: self._kept[int(found[1])], head)
        return f"{head}{late}{end}{START_TAG.sub(self._tag_restored, _STYLE_PLACE.sub('', body))}"

    def _keep(self, text: str) -> str:
        self._kept.append(text)
        return f"{_OPEN}{len(self._kept) - 1}{_CLOSE}"

    def _style_set_aside(self, found: re.Match[str]) -> str:
        """Return a style element, or the stand-in for what is kept of it, or both."""
        if not found["css"]:
            return found[0]
        sheet, for_all = self._sheets[found.start()]
        if sheet is None:
            return f"<!--{self._keep(found[0])}-->"
        css = self._leftover.css(sheet, held=not for_all)
        kept = f"<style{found['attributes']}>{css}</style>"
        return f"{found[0] if for_all else ''}{f'<!--{self._keep(kept)}-->' if css else ''}"

    def _tag_set_aside(self, found: re.Match[str]) -> str:
        """Return a start tag with everything from the first to the last mark in its attributes as one attribute."""
        tag = _OWN_STYLE.sub(self._firm, found[0])
        marks = [mark.span() for mark in _VALUE_OR_MARK.finditer(tag) if mark["mark"]]
        if not marks:
            return tag
        start, end = marks[0][0], marks[-1][1]
        if not self._protected.is_balanced(tag[start:end]):
            return tag
        return f"{tag[:start].rstrip()} {self._keep(tag[start:end])} {tag[end:].lstrip()}"

    def _firm(self, style: re.Match[str]) -> str:
        firm = self._leftover.firm_style(unescape(style[3]))
        return f"{style[1]}{style[2]}{style[3].rstrip('; ')}{_quoted(firm, style[2])}{style[2]}" if firm else style[0]

    def _tag_restored(self, found: re.Match[str]) -> str:
        """Return a start tag with its attributes; of two styles the first wins, so it has the inlined ones."""
        tag = found[0]
        inlined = _INLINED.search(tag)
        css = unescape(inlined[1]).rstrip("; ") if inlined else ""

        def joined(style: re.Match[str]) -> str:
            return f"{style[1]}{style[2]}{_quoted(css, style[2])};{style[3]}{style[2]}" if css else style[0]

        return _ATTRIBUTE_PLACE.sub(lambda place: _OWN_STYLE.sub(joined, self._kept[int(place[1])]), tag)


def _sheet(found: re.Match[str]) -> tuple[Sheet | None, bool]:
    """Return a style element's rules, None if they must not change, and whether they are for every screen."""
    media = _MEDIA.search(found["attributes"])
    for_all = media is None or " ".join(media[1].split()).lower() in _FOR_ALL
    if MARK.search(found[0]):
        return None, for_all
    try:
        return read_sheet(found["css"]), for_all
    except ValueError:
        return None, for_all


def _quoted(css: str, quote: str) -> str:
    """Return CSS escaped for an attribute with these quotes."""
    return css.replace("&", "&amp;").replace(quote, "&quot;" if quote == '"' else "&#39;")
