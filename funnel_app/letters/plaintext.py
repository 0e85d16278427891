"""Plain text, derived from the HTML part's template."""

import re
from html import unescape

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_document_state import HtmlDocumentState
from inscriptis.model.html_element import HtmlElement
from inscriptis.model.tag import CustomHtmlTagHandlerMapping
from jinja2 import TemplateSyntaxError

from funnel_app.letters.engine import PLAIN
from funnel_app.letters.tags import START_TAG, Protected, with_blocks_shown
from funnel_app.letters.visible import hides
from funnel_app.letters.words import tidy

_LINES_OF_BLOCKS = re.compile(r"^[ \t]*((?:\{%(?:(?!\{%|%\}).)*%\}[ \t]*)+)\n", re.MULTILINE | re.DOTALL)
_LINK_SHOWN_TWICE = re.compile(r"(?<!\S)(\{\{[^{}]*\}\}|\S+) \((?:mailto:|tel:)?\1\)")
_NUMBER_SHOWN_TWICE = re.compile(r"(\+?\(?\d[\d ().-]{4,30}\d) \(tel:(\+?[\d-]{1,30})\)")
_TABLE = ("table", "thead", "tbody", "tfoot", "tr", "td", "th")


def derive(protected: Protected, page: str) -> str:
    """Return the text of a page with protected tags: links after their words, tags in order."""
    text = protected.restored(_read_in_blocks(with_blocks_shown(page)))
    if not _parses(text):
        text = protected.restored(unescape(protected.without_markup()))
    once = _NUMBER_SHOWN_TWICE.sub(_number_once, _LINK_SHOWN_TWICE.sub(r"\1", text))
    return tidy(_LINES_OF_BLOCKS.sub(r"\1", once))


def _number_once(found: re.Match[str]) -> str:
    same = re.sub(r"\D", "", found[1]) == re.sub(r"\D", "", found[2])
    return found[1] if same else found[0]


def _parses(text: str) -> bool:
    try:
        PLAIN.parse(text)
    except TemplateSyntaxError:
        return False
    return True


def _read_in_blocks(html: str) -> str:
    """Read tables cell by cell: side by side, the lines and tags of two cells would mix.

    Inscriptis unescapes what lxml has already unescaped, so every & is escaped once more before.
    """
    css = {**CSS_PROFILES["relaxed"], **{tag: HtmlElement(display=Display.block) for tag in _TABLE}}
    starts = {**dict.fromkeys(("table", "tr", "td", "th"), _nothing_at_start), "a": _keep_target, "img": _write_alt}
    ends = {**dict.fromkeys(("table", "td", "th"), _nothing_at_end), "a": _write_target}
    config = ParserConfig(css, custom_html_tag_handler_mapping=CustomHtmlTagHandlerMapping(starts, ends))
    return str(get_text(START_TAG.sub(_hidden_plainly, html).replace("&", "&amp;"), config))


def _hidden_plainly(found: re.Match[str]) -> str:
    """Return a start tag with display:none if it hides its element in another way, as preheaders do."""
    tag = found[0]
    if not hides(tag):
        return tag
    name = re.match(r"<[\w:-]+", tag)
    return f'{name[0]} style="display:none" {tag[name.end() :]}' if name else tag


def _write_alt(state: HtmlDocumentState, attributes: dict[str, str]) -> None:
    """Write an image's alt text: as the words of its link, else in brackets."""
    alt = attributes.get("alt", "").strip()
    if alt:
        state.tags[-1].write(alt if getattr(state, "link_target", "") else f"[{alt}]")


def _nothing_at_start(state: HtmlDocumentState, attributes: dict[str, str]) -> None:
    """Leave parts of tables to their style."""


def _nothing_at_end(state: HtmlDocumentState) -> None:
    """Leave parts of tables to their style."""


def _keep_target(state: HtmlDocumentState, attributes: dict[str, str]) -> None:
    state.link_target = attributes.get("href", "").strip()


def _write_target(state: HtmlDocumentState) -> None:
    target, state.link_target = state.link_target, ""
    if target and not target.startswith("#"):
        state.tags[-1].write(f" ({target})")
