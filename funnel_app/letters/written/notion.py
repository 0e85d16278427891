"""Notion's blocks, parsed as a letter; unsupported ones are reported."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from funnel_app.letters.problem import Problem, fault, warning
from funnel_app.letters.written.model import Block, Kind, Run
from funnel_app.letters.written.runs import is_kept, target, whole

_KINDS = {
    "paragraph": Kind.PARAGRAPH,
    "bulleted_list_item": Kind.BULLET,
    "numbered_list_item": Kind.NUMBER,
    "quote": Kind.QUOTE,
    "callout": Kind.NOTE,
    "code": Kind.CODE,
}
# Containers; columns are stacked, as on a phone.
_HOLDERS = frozenset({"column_list", "column", "synced_block"})
# Never part of a letter.
_NOT_MEANT = frozenset({"table_of_contents", "breadcrumb", "child_page", "child_database", "template"})
_LINKS = frozenset({"bookmark", "link_preview"})
_NAMES = {
    "toggle": ("a toggle", "an email cannot unfold: write its words as paragraphs"),
    "table": ("a table", "write its rows as a list, or put the letter into a code block as HTML"),
    "link_to_page": ("a link to a page in Notion", "link to your website: readers cannot open that page"),
    "equation": ("an equation", "write it in words"),
    "unsupported": (
        "a block that Notion does not hand out (a button or a form, say)",
        "delete it, or write it in words",
    ),
}
_HEADING = re.compile(r"heading_(\d)")
_PAGES_IN_NOTION = re.compile(r"/|https://(?:www\.)?(?:notion\.so|app\.notion\.com)/", re.IGNORECASE)


@dataclass
class Typed:
    """A page as a letter: its blocks, and what was left out or is unsupported."""

    blocks: tuple[Block, ...] = ()
    problems: list[Problem] = field(default_factory=list)


def read_blocks(blocks: Sequence[Mapping[str, Any]]) -> Typed:
    """Return the letter typed on a page, with a problem for each unsupported thing."""
    found = Typed()
    found.blocks = tuple(_blocks(blocks, found))
    return found


def _blocks(blocks: Iterable[Mapping[str, Any]], found: Typed) -> Iterator[Block]:
    for block in blocks:
        yield from _block(str(block["type"]), block, found)


def _block(kind: str, block: Mapping[str, Any], found: Typed) -> Iterator[Block]:
    children = block.get("children") or ()
    heading = _HEADING.fullmatch(kind)
    if kind in _HOLDERS:
        yield from _blocks(children, found)
    elif heading and block.get("folded"):
        found.problems.append(_not_makeable("toggle"))
    elif heading:
        yield Block(Kind.HEADING, _runs(block, found), tuple(_blocks(children, found)), int(heading[1]))
    elif kind in _KINDS:
        yield Block(_KINDS[kind], _with_sign(block, found), tuple(_blocks(children, found)))
    elif kind == "to_do":
        yield Block(Kind.BULLET, _runs(block, found), tuple(_blocks(children, found)))
    elif kind == "divider":
        yield Block(Kind.DIVIDER)
    elif kind == "image":
        yield from _image(block, found)
    elif kind in _LINKS and block.get("url"):
        words = "".join(run.text for run in _runs(block, found)) or str(block["url"])
        yield Block(Kind.PARAGRAPH, (Run(words, href=str(block["url"])),))
    elif kind not in _NOT_MEANT:
        found.problems.append(_not_makeable(kind))


def _image(block: Mapping[str, Any], found: Typed) -> Iterator[Block]:
    if block.get("hosted"):
        detail = "A picture on the page lies in Notion, whose addresses die within the hour, and with them the picture"
        cure = "Upload it to your website and embed it in Notion by that https:// address."
        found.problems.append(fault("expiring_image", f"{detail}. {cure}"))
        return
    yield Block(Kind.IMAGE, _runs(block, found), address=str(block.get("url") or ""))


def _with_sign(block: Mapping[str, Any], found: Typed) -> tuple[Run, ...]:
    runs = _runs(block, found)
    sign = str(block.get("sign") or "")
    return (Run(f"{sign} "), *runs) if sign and runs else runs


def _runs(block: Mapping[str, Any], found: Typed) -> tuple[Run, ...]:
    return whole(_kept(Run(**run), found) for run in block.get("runs") or ())


def _kept(run: Run, found: Typed) -> Run:
    address = target(run.href)
    if not address or (is_kept(address) and not _PAGES_IN_NOTION.match(address)):
        return run
    if not _PAGES_IN_NOTION.match(address):
        detail = f'A link goes to "{run.href[:80]}", which does not start with https://: it was left out.'
        found.problems.append(warning("bad_link", detail))
        return _unlinked(run)
    detail = f"The link on “{run.text[:40]}” goes to a page in Notion, which readers cannot open: it was left out."
    found.problems.append(warning("bad_link", detail))
    return _unlinked(run)


def _unlinked(run: Run) -> Run:
    return Run(run.text, run.bold, run.italic, run.strike, run.underline, run.code)


def _not_makeable(kind: str) -> Problem:
    name, cure = _NAMES.get(kind, (f"a block of the kind “{kind}”", "link to it, or say it in words"))
    return fault("not_makeable", f"The page has {name}, of which no email can be made: {cure}.")
