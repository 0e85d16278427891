"""Tags: replace template tags by opaque marks, so that HTML tools cannot mangle them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# A comment's end is searched for separately: one that never ends is scanned once, not from each beginning.
_TAG = re.compile(r"\{\{(?:(?!\{\{|\}\}).)*\}\}|\{%(?:(?!\{%|%\}).)*%\}|(?P<comment>\{#)", re.DOTALL)

# Private-use characters: HTML and CSS parsers treat them as letters, and no template needs them.
_OPEN, _CLOSE = "\ue000", "\ue001"
MARK = re.compile(f"{_OPEN}[0-9]+{_CLOSE}")
# Includes the marks of `opaque.py`.
_PRIVATE = re.compile("[\ue000-\ue003]")
_HIDDEN_MARK = re.compile(f"<!--({_OPEN}[0-9]+{_CLOSE})-->")
_ATTRIBUTE_MARK = re.compile(f'{MARK.pattern}=""')
START_TAG = re.compile(r"<[A-Za-z](?:\"[^\"]*\"|'[^']*'|[^<>\"'])*+>")
_BEGINS = re.compile(r"\{%[-+]?\s*if\b")
_ENDS = re.compile(r"\{%[-+]?\s*endif\b")
# An unclosed one extends to the end, as for HTML parsers.
_MARKUP = re.compile(
    r"<!--(?:.*?-->|.*\Z)"
    r"|<(?P<raw>style|script|title|textarea)\b(?:.*?</(?P=raw)\s*>|.*\Z)"
    r"|<[A-Za-z/!](?:\"[^\"]*(?:\"|\Z)|'[^']*(?:'|\Z)|[^>\"'])*+(?:>|\Z)"
    f"|(?P<mark>{MARK.pattern})",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True)
class Protected:
    """A source with marks for its tags, and the tags, in order."""

    source: str
    tags: tuple[str, ...]

    def is_block(self, mark: str) -> bool:
        """Say whether a mark is for a {% … %} tag, which shows nothing itself."""
        return self.tags[_index(mark)].startswith("{%")

    def is_balanced(self, piece: str) -> bool:
        """Say whether each {% if %} in a piece of the source ends there, and none from before does."""
        depth = 0
        for mark in MARK.findall(piece):
            tag = self.tags[_index(mark)]
            depth += bool(_BEGINS.match(tag)) - bool(_ENDS.match(tag))
            if depth < 0:
                return False
        return depth == 0

    def between_blocks(self, other: str) -> list[str]:
        """Return the pieces of a text between its blocks."""
        return MARK.sub(lambda found: "\n" if self.is_block(found[0]) else found[0], other).split("\n")

    def hiding_blocks(self) -> str:
        """Return the source with blocks between elements as comments, which HTML allows even inside tables."""
        return _MARKUP.sub(lambda found: self._hidden(found["mark"]) or found[0], self.source)

    def without_markup(self) -> str:
        """Return the source's text; every block stays, even from broken markup, so that each keeps its end."""
        return _MARKUP.sub(lambda found: found["mark"] or self._blocks_in(found[0]), self.source)

    def _blocks_in(self, markup: str) -> str:
        return "".join(mark for mark in MARK.findall(markup) if self.is_block(mark))

    def _hidden(self, mark: str | None) -> str | None:
        return f"<!--{mark}-->" if mark and self.is_block(mark) else None

    def kept_by(self, other: str) -> bool:
        """Say whether another text has exactly these marks in order, none of them as an attribute's name.

        Within one start tag the order may differ: attributes are sorted.
        """
        return _in_order(other) == _in_order(self.source) and not _ATTRIBUTE_MARK.search(other)

    def restored(self, other: str) -> str:
        """Return a text made from the source, with the tags in place of the marks."""
        return MARK.sub(lambda found: self.tags[_index(found[0])], with_blocks_shown(other))


def find_tags(source: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each closed tag, block and comment of a template."""
    at, last_end = 0, source.rfind("#}")
    while found := _TAG.search(source, at):
        start, at = found.span()
        if found["comment"]:
            if at > last_end:
                continue
            at = source.index("#}", at) + 2
        yield start, at


def tags_of(source: str) -> list[str]:
    """Return every tag of a template, in order."""
    return [source[start:end] for start, end in find_tags(source)]


def replace_tags(source: str, new: Callable[[str], str]) -> str:
    """Return a template with each tag replaced by a function's result."""
    parts, at = [], 0
    for start, end in find_tags(source):
        parts += [source[at:start], new(source[start:end])]
        at = end
    return "".join([*parts, source[at:]])


def without_unseen(source: str) -> str:
    """Return a template without the tags that show nothing themselves: blocks and comments."""
    return replace_tags(source, lambda tag: tag if tag.startswith("{{") else "")


def protect(source: str) -> Protected:
    """Replace every tag by a mark, and drop comments."""
    tags: list[str] = []

    def mark(tag: str) -> str:
        if tag.startswith("{#"):
            return ""
        tags.append(tag)
        return f"{_OPEN}{len(tags) - 1}{_CLOSE}"

    marked = replace_tags(_PRIVATE.sub("", source), mark)
    return Protected(marked, tuple(tags))


def with_blocks_shown(page: str) -> str:
    """Return a page with its blocks as text again."""
    return _HIDDEN_MARK.sub(r"\1", page)


def _in_order(page: str) -> list[str]:
    return MARK.findall(START_TAG.sub(lambda tag: "".join(sorted(MARK.findall(tag[0]))) or tag[0], page))


def _index(mark: str) -> int:
    return int(mark[1:-1])
