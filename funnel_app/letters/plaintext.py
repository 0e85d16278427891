"""The text part, derived from the HTML part's template."""

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
from funnel_app.letters.tags import Protected, with_blocks_shown
from funnel_app.letters.words import tidy

_LINES_OF_BLOCKS = re.compile(r"^[ \t]*((?:\{%(?:(?!\{%|%\}).)*%\}[ \t]*)+)\n", re.MULTILINE | re.DOTALL)
_LINK_SHOWN_TWICE = re.compile(r"(?<!\S)(\{\{[^{}]*\}\}|\S+) \(\1\)")
_TABLE = ("table", "thead", "tbody", "tfoot", "tr", "td", "th")


def derive(protected: Protected, page: str) -> str:
    """Return the text of a page made from the protected source: links behind their words, tags in their order."""
    text = protected.restored(_read_in_blocks(with_blocks_shown(page)))
    if not _parses(text):
        text = protected.restored(unescape(protected.without_markup()))
    return tidy(_LINES_OF_BLOCKS.sub(r"\1", _LINK_SHOWN_TWICE.sub(r"\1", text)))


def _parses(text: str) -> bool:
    try:
        PLAIN.parse(text)
    except TemplateSyntaxError:
        return False
    return True


def _read_in_blocks(html: str) -> str:
    """Read tables cell by cell: side by side, the lines of two cells would mix, and with them their tags."""
    css = {**CSS_PROFILES["relaxed"], **{tag: HtmlElement(display=Display.block) for tag in _TABLE}}
    starts = {**dict.fromkeys(("table", "tr", "td", "th"), _nothing_at_start), "a": _keep_target}
    ends = {**dict.fromkeys(("table", "td", "th"), _nothing_at_end), "a": _write_target}
    return str(
        get_text(html, ParserConfig(css, custom_html_tag_handler_mapping=CustomHtmlTagHandlerMapping(starts, ends)))
    )


def _nothing_at_start(state: HtmlDocumentState, attributes: dict[str, str]) -> None:
    """Leave a table's parts to their style."""


def _nothing_at_end(state: HtmlDocumentState) -> None:
    """Leave a table's parts to their style."""


def _keep_target(state: HtmlDocumentState, attributes: dict[str, str]) -> None:
    state.link_target = attributes.get("href", "").strip()


def _write_target(state: HtmlDocumentState) -> None:
    target = re.sub("^(?:mailto|tel):", "", state.link_target)
    if target and not target.startswith("#"):
        state.tags[-1].write(f" ({target})")
