"""The shape of a letter: its page without what is filled in, so that of all letters of one shape only one is read.

To read a page as browsers do is most of what a letter costs. What is filled in changes nothing of what is found there
as long as it stands in a text or in a target of a link: it is escaped, and has words in it or is a part of the shape.
"""

import re
import secrets
from dataclasses import replace
from functools import lru_cache, partial

from markupsafe import Markup, escape
from selectolax.lexbor import LexborHTMLParser, LexborNode

from funnel_app.letters.visible import Visible, read_visible
from funnel_app.letters.words import shown

# Unicode keeps these for a program's own use: no text has them (https://www.unicode.org/faq/private_use.html#nonchar1).
OPENS, CLOSES = "\ufdd0", "\ufdd1"
# What stands in for words and for the way out; nobody can have written them into a template.
WORD, WAY_OUT = f"w{secrets.token_hex(8)}", f"u{secrets.token_hex(8)}"
_FILLED = re.compile(f"{OPENS}([^{OPENS}{CLOSES}]*){CLOSES}")
# What is longer is not kept in memory: it is seldom, and is read each time.
LONGEST_WORDS, LONGEST_SHAPE = 100, 50_000
# A letter after this sign may make another sign of it, a space among them.
_ENTITY = re.compile(f"&#?x?(?:{WORD}|{WAY_OUT})", re.IGNORECASE)
_ATTRIBUTES = ("href", "alt", "title")
_LOOKS_AT_THEM = re.compile(r"\[\s*(?:href|alt|title)|contains", re.IGNORECASE)


def marked(value: object) -> Markup:
    """Return a value escaped, between marks by which it is found again in the page."""
    return Markup("".join((OPENS, escape(value), CLOSES)))  # noqa: S704 - escaped within


def unmarked(page: str) -> str:
    """Return a page without the marks, as it goes out."""
    return page.replace(OPENS, "").replace(CLOSES, "")


def read_marked(page: str, way_out: str, kept: str) -> Visible:
    """Read a marked page as `read_visible` reads it without marks; words for what is filled in may stand in its text.

    What is filled in and has `kept`, in small letters, in it stays what it is.
    """
    shape = _shape(page, str(escape(way_out)), kept)
    visible = _read(shape) if len(shape) <= LONGEST_SHAPE else None
    if visible is None:
        return read_visible(unmarked(page))
    return replace(visible, links=visible.links | {way_out}) if WAY_OUT in visible.links else visible


def _shape(page: str, way_out: str, kept: str) -> str:
    return unmarked(_FILLED.sub(partial(_stand_in, way_out, kept), page))


def _stand_in(way_out: str, kept: str, found: re.Match[str]) -> str:
    if found[1] == way_out:
        return WAY_OUT
    return _words_for(found[1], kept) if len(found[1]) <= LONGEST_WORDS else found[1]


@lru_cache(1024)
def _words_for(text: str, kept: str) -> str:
    if not shown(text) or (kept and kept in text.casefold()):
        return text
    # A space ends a target that stands without quotes.
    return WORD if text.split() == [text] else f"{WORD} {WORD}"


@lru_cache(64)
def _read(shape: str) -> Visible | None:
    """Read a shape; None where what is filled in may change more than words and targets."""
    page = LexborHTMLParser(shape)
    if (
        page.root is None
        or _ENTITY.search(shape)
        or any(_LOOKS_AT_THEM.search(style.text()) for style in page.css("style"))
    ):
        return None
    harmless = [_harmless(node) for node in page.root.traverse(include_text=True)]
    seen = [sum(text.count(word) for text in harmless) for word in (WORD, WAY_OUT)]
    return read_visible(shape) if seen == [shape.count(word) for word in (WORD, WAY_OUT)] else None


def _harmless(node: LexborNode) -> str:
    """Return those texts of a node itself that change nothing but what is read and where links lead."""
    if node.is_text_node:
        return "" if node.parent is not None and node.parent.tag == "style" else node.text()
    return " ".join(filter(None, map(node.attributes.get, _ATTRIBUTES)))
