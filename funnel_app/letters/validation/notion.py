"""Notion's changes inside a template's tags, from autocorrection or pasting formatted text."""

import html
import re
from collections.abc import Iterator

from funnel_app.letters.problem import Problem, fault
from funnel_app.letters.tags import replace_tags, tags_of

_STRAIGHT_STRING = re.compile(r"\"[^\"]*\"|'[^']*'")
_ELEMENT = re.compile(r"</?[A-Za-z][^<>]*>|<!--(?:(?!<!--).)*?-->", re.DOTALL)
_TYPED = (
    (re.compile("[“”„‟‘’‚‛«»‹›′″]"), "curly quotes", "with straight quotes"),
    (re.compile("[\u00a0\u1680\u2000-\u200f\u202f\u205f\u2060\u3000\ufeff]"), "a special space", "with plain spaces"),
    (re.compile("[‐-―−]"), "a long dash", "with plain hyphens"),
    (re.compile("[≥≤≠→←⇒…]"), "a symbol that Notion made", 'with plain signs such as ">="'),
)
_PASTED = (
    (_ELEMENT, "formatting (an HTML tag)", "without formatting"),
    (re.compile(r"&(?:#\d+|#[xX][0-9a-fA-F]+|[A-Za-z]\w*);"), "an HTML code", "with plain characters"),
)
_SIGNS = {"≥": ">=", "≤": "<=", "≠": "!=", "→": "->", "←": "<-", "⇒": "=>", "…": "..."}
_PLAIN = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‘’‚‛‹›′", "'"),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **_SIGNS,
    }
)


def changes(part: str, source: str) -> Iterator[Problem]:
    """Yield a problem per changed tag; straight-quoted text is left to the owner."""
    for tag in dict.fromkeys(tag for tag in tags_of(source) if not tag.startswith("{#")):
        code = _STRAIGHT_STRING.sub("", tag)
        found = [*((code, *change) for change in _TYPED), *((tag, *change) for change in _PASTED)]
        for text, change, name, cure in found:
            if change.search(text):
                yield fault("curly_quotes", f"The {part} has {name} inside {_short(tag)}. Type that tag again {cure}.")


def straightened(source: str) -> str:
    """Return the source without Notion's changes, as far as they can be recognised."""
    return replace_tags(source, _straight)


def _straight(tag: str) -> str:
    plain = html.unescape(_ELEMENT.sub("", tag)).translate(_PLAIN)
    return re.sub("[\u200b-\u200f\u2060\ufeff]", "", plain).replace("\u00a0", " ")


def _short(tag: str) -> str:
    line = " ".join(_ELEMENT.sub("", tag).split())
    return line if len(line) <= 80 else f"{line[:78]}…"
