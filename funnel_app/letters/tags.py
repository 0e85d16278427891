"""Template tags as opaque marks, so that tools that read HTML cannot mangle them."""

import re
from dataclasses import dataclass

TAG = re.compile(r"\{\{(?:(?!\{\{|\}\}).)*\}\}|\{%(?:(?!\{%|%\}).)*%\}|\{#.*?#\}", re.DOTALL)
NOT_SHOWN = re.compile(r"\{%(?:(?!\{%|%\}).)*%\}|\{#.*?#\}", re.DOTALL)

# Private-use characters: HTML and CSS parsers take them for letters, and no template needs them.
_OPEN, _CLOSE = "\ue000", "\ue001"
MARK = re.compile(f"{_OPEN}[0-9]+{_CLOSE}")
_HIDDEN_MARK = re.compile(f"<!--({_OPEN}[0-9]+{_CLOSE})-->")
_ATTRIBUTE_MARK = re.compile(f'{MARK.pattern}=""')
_MARKUP = re.compile(
    r"<!--.*?-->"
    r"|<(?P<raw>style|script|title|textarea)\b.*?</(?P=raw)\s*>"
    r"|<[A-Za-z/!](?:\"[^\"]*\"|'[^']*'|[^>\"'])*>"
    f"|(?P<mark>{MARK.pattern})",
    re.DOTALL | re.IGNORECASE,
)


@dataclass(frozen=True)
class Protected:
    """A source whose tags are marks, and the tags that they stand for, in order."""

    source: str
    tags: tuple[str, ...]

    def is_block(self, mark: str) -> bool:
        """Tell whether a mark stands for a {% … %} tag, which shows nothing itself."""
        return self.tags[_index(mark)].startswith("{%")

    def between_blocks(self, other: str) -> list[str]:
        """Return the pieces of a text that stand between its blocks."""
        return MARK.sub(lambda found: "\n" if self.is_block(found[0]) else found[0], other).split("\n")

    def hiding_blocks(self) -> str:
        """Return the source with the blocks between elements as comments, which HTML allows even inside tables."""
        return _MARKUP.sub(lambda found: self._hidden(found["mark"]) or found[0], self.source)

    def without_markup(self) -> str:
        """Return the source's bare text; every block stays, even out of broken markup, so that each keeps its end."""
        return _MARKUP.sub(lambda found: found["mark"] or self._blocks_in(found[0]), self.source)

    def _blocks_in(self, markup: str) -> str:
        return "".join(mark for mark in MARK.findall(markup) if self.is_block(mark))

    def _hidden(self, mark: str | None) -> str | None:
        return f"<!--{mark}-->" if mark and self.is_block(mark) else None

    def kept_by(self, other: str) -> bool:
        """Tell whether another text has exactly these marks in this order, none of them as an attribute's name."""
        return MARK.findall(other) == MARK.findall(self.source) and not _ATTRIBUTE_MARK.search(other)

    def restored(self, other: str) -> str:
        """Return another text, made from the source, with the tags in place of the marks."""
        return MARK.sub(lambda found: self.tags[_index(found[0])], with_blocks_shown(other))


def protect(source: str) -> Protected:
    """Replace every tag by a mark, and drop template comments."""
    tags: list[str] = []

    def mark(found: re.Match[str]) -> str:
        if found[0].startswith("{#"):
            return ""
        tags.append(found[0])
        return f"{_OPEN}{len(tags) - 1}{_CLOSE}"

    marked = TAG.sub(mark, source.replace(_OPEN, "").replace(_CLOSE, ""))
    return Protected(marked, tuple(tags))


def with_blocks_shown(page: str) -> str:
    """Return a page with its blocks as text again."""
    return _HIDDEN_MARK.sub(r"\1", page)


def _index(mark: str) -> int:
    return int(mark[1:-1])
