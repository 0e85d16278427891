"""Markdown, or plain text with line breaks, parsed as blocks; HTML in it is text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token

from funnel_app.letters.tags import MARK, Protected, protect
from funnel_app.letters.written.model import Block, Kind, Run
from funnel_app.letters.written.runs import is_kept, paragraph, target, whole

# Disabled: indented text is no code, hyphens under a name are a signature, and there are no link definitions.
_READER = (
    MarkdownIt("commonmark", {"html": False, "breaks": True})
    .enable(["strikethrough", "table"])
    .disable(["code", "lheading", "reference", "html_block", "html_inline"])
)
_READER.validateLink = lambda url: True  # type: ignore[method-assign]  # the gate is told of what is left out
_READER.normalizeLink = lambda url: url  # type: ignore[method-assign]  # it would encode the marks of tags
_LOOKS = frozenset({"strong", "em", "s"})
_BLOCK_LINE = re.compile(f"^[ \\t]*(?:{MARK.pattern}[ \\t]*)+$", re.MULTILINE)
# Tabs, and Notion's substitute for two spaces, have no meaning.
_SPACES = str.maketrans({"\t": "    ", "\u00a0": " "})


@dataclass
class Markdown:
    """The parsed blocks, the links that no letter may have, and whether there was anything but paragraphs."""

    blocks: tuple[Block, ...] = ()
    refused: list[str] = field(default_factory=list)
    table: bool = False
    plain: bool = True


def read_markdown(text: str) -> Markdown:
    """Parse a text, leaving tags untouched; text without any Markdown is plain."""
    protected = protect(text)
    source = _BLOCK_LINE.sub(lambda line: _apart(protected, line[0]), protected.source.translate(_SPACES))
    found = Markdown()
    found.blocks = tuple(_Reading(protected, found).blocks(_READER.parse(source)))
    return found


def _apart(protected: Protected, line: str) -> str:
    """Separate a line that holds only conditions, so that what it chooses is a paragraph of its own."""
    return f"\n\n{line}\n\n" if all(protected.is_block(mark) for mark in MARK.findall(line)) else line


class _Reading:
    """One pass over a text's tokens."""

    def __init__(self, protected: Protected, found: Markdown) -> None:
        self._protected, self._found = protected, found

    def blocks(self, tokens: Sequence[Token]) -> Iterator[Block]:
        at = 0
        while at < len(tokens):
            token, end = tokens[at], _closing(tokens, at)
            yield from self._block(token, tokens[at + 1 : end])
            at = end + 1

    def _block(self, token: Token, inside: Sequence[Token]) -> Iterator[Block]:
        self._found.plain &= token.type in ("paragraph_open", "inline")
        match token.type:
            case "paragraph_open":
                yield from self._pictured(Block(Kind.PARAGRAPH, self._runs(inside[0])))
            case "heading_open":
                yield Block(Kind.HEADING, self._runs(inside[0]), level=int(token.tag[1]))
            case "bullet_list_open" | "ordered_list_open":
                yield from self._items(token, inside)
            case "blockquote_open":
                yield _with_words(Kind.QUOTE, tuple(self.blocks(inside)))
            case "fence":
                yield Block(Kind.CODE, (Run(self._restored(token.content.rstrip("\n"))),))
            case "hr":
                yield Block(Kind.DIVIDER)
            case "table_open":
                self._found.table = True

    def _items(self, token: Token, inside: Sequence[Token]) -> Iterator[Block]:
        kind = Kind.BULLET if token.type.startswith("bullet") else Kind.NUMBER
        first = int(token.attrGet("start") or 1)
        at = number = 0
        while at < len(inside):
            end = _closing(inside, at)
            item = _with_words(kind, tuple(self.blocks(inside[at + 1 : end])))
            yield replace(item, level=first if number == 0 else 1)
            at, number = end + 1, number + 1

    def _pictured(self, block: Block) -> Iterator[Block]:
        """Yield a paragraph split at its images, which are blocks of their own."""
        words: list[Run] = []
        for run in block.runs:
            if run.href.startswith(_PICTURE):
                yield from paragraph(words)
                alt = () if run.text == _WORDLESS else (Run(run.text),)
                yield Block(Kind.IMAGE, alt, address=run.href.removeprefix(_PICTURE))
                words = []
            else:
                words.append(run)
        yield from paragraph(words)

    def _runs(self, inline: Token) -> tuple[Run, ...]:
        return whole(self._inline(inline.children or []))

    def _inline(self, tokens: Sequence[Token]) -> Iterator[Run]:
        look = Run("")
        for token in tokens:
            name, _, side = token.type.rpartition("_")
            if name in _LOOKS:
                self._found.plain = False
                look = _looking(look, name, on=side == "open")
            elif name == "link":
                look = replace(look, href=self._target(token) if side == "open" else "")
            elif token.type in ("softbreak", "hardbreak"):
                yield replace(look, text="\n")
            elif token.type == "image":
                self._found.plain = False
                source = self._restored(str(token.attrGet("src") or ""))
                yield Run(self._restored(token.content) or _WORDLESS, href=_PICTURE + source)
            else:
                self._found.plain &= token.type != "code_inline"
                yield replace(look, text=self._restored(token.content), code=token.type == "code_inline")

    def _target(self, token: Token) -> str:
        self._found.plain = False
        address = target(self._restored(str(token.attrGet("href") or "")))
        if is_kept(address):
            return address
        self._found.refused.append(address)
        return ""

    def _restored(self, text: str) -> str:
        return self._protected.restored(text)


_PICTURE = "picture:"
# A run without any text would be left out.
_WORDLESS = " "


def _looking(look: Run, name: str, *, on: bool) -> Run:
    if name == "strong":
        return replace(look, bold=on)
    return replace(look, italic=on) if name == "em" else replace(look, strike=on)


def _with_words(kind: Kind, inside: tuple[Block, ...]) -> Block:
    """Return a block with its first paragraph's text, and the rest as its children."""
    if inside and inside[0].kind is Kind.PARAGRAPH:
        return Block(kind, inside[0].runs, inside[1:])
    return Block(kind, (), inside)


def _closing(tokens: Sequence[Token], at: int) -> int:
    """Return the index of a token's closing token: its own if self-contained."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += tokens[place].nesting
        if depth == 0:
            return place
    return len(tokens)
