"""What a reader sees of a finished letter, and what is hidden from them; parsed as a browser does (HTML5)."""

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

from funnel_app.letters.styles.size_and_colour import unreadable_words
from funnel_app.letters.words import shown

_UNREAD = ["head", "style", "script", "title", "template", "noscript", "textarea", "select", "iframe", "object"]
_HIDING = ("display", "visib", "opacity", "height", "text-indent", "left", "top")
_MAY_HIDE = ",".join(["[hidden]", *(f'[style*="{word}" i]' for word in _HIDING)])
_HIDES = re.compile(
    r"(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    r"|opacity\s*:\s*0(?:\.0*)?(?![.\d])|max-height\s*:\s*0(?:\.0*)?(?:px|em|%)?(?![.\d])"
    r"|(?:text-indent|left|top)\s*:\s*-\d{3,})",
    re.IGNORECASE,
)
_NO_ROOM = re.compile(r"(?:^|[;\s])height\s*:\s*0(?:\.0*)?(?:px|em|%)?\s*(?:;|!|$)", re.IGNORECASE)
_CUT = re.compile(r"overflow\s*:\s*hidden", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_STYLE = re.compile(r"\bstyle\s*=\s*[\"']([^\"'>]*)", re.IGNORECASE)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_HIDDEN = re.compile(r"\shidden(?=[\s/>=])", re.IGNORECASE)


@dataclass(frozen=True)
class Visible:
    """What a reader sees of a letter: text, link targets with something to click, images."""

    text: str
    links: frozenset[str]
    images: int

    @property
    def words(self) -> list[str]:
        """The visible words, in lower case."""
        return _WORD.findall(self.text.casefold())

    @property
    def shows_nothing(self) -> bool:
        """Whether neither words nor images are visible."""
        return not shown(self.text) and not self.images


def read_visible(html: str) -> Visible:
    """Parse a finished letter like a browser, however broken it is."""
    page = LexborHTMLParser(html)
    _drop_hidden(page)
    body = page.body
    if body is None:
        return Visible("", frozenset(), 0)
    links = frozenset(_target(link) for link in body.css("a[href]") if _can_be_pressed(link))
    return Visible(body.text(separator=" "), links, len(body.css("img[src]")))


def hides(start_tag: str) -> bool:
    """Say whether a start tag hides its element by its own attributes."""
    styles = _STYLE.findall(start_tag)
    return any(_style_hides(style) for style in styles) or bool(_HIDDEN.search(_QUOTED.sub("", start_tag)))


def _style_hides(style: str) -> bool:
    return bool(_HIDES.search(style) or (_NO_ROOM.search(style) and _CUT.search(style)))


def _drop_hidden(page: LexborHTMLParser) -> None:
    for words in unreadable_words(page):
        words.decompose()
    page.strip_tags(_UNREAD)
    hidden = [node for node in page.css(_MAY_HIDE) if _is_hidden(node)]
    # Innermost first: a removed node takes its children along.
    for node in reversed(hidden):
        if node.tag not in ("html", "body"):
            node.decompose()
        elif page.body is not None:
            page.body.inner_html = ""


def _is_hidden(node: LexborNode) -> bool:
    given = node.attributes
    return "hidden" in given or _style_hides(given.get("style") or "")


def _target(link: LexborNode) -> str:
    return (link.attributes.get("href") or "").strip()


def _can_be_pressed(link: LexborNode) -> bool:
    return bool(shown(link.text())) or link.css_first("img[src]") is not None
