"""Rich text of a property, parsed as blocks, with Notion's formatting and links."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from funnel_app.letters.tags import replace_tags
from funnel_app.letters.written.model import Block, Kind, Run
from funnel_app.letters.written.runs import paragraph, whole

_SIGN = re.compile(r"(?:(?P<heading>#{1,3})|(?P<bullet>[-*•])|(?P<number>\d{1,3})[.)]|(?P<quote>>))[ \u00a0]+")


def read_rich(runs: Iterable[Mapping[str, Any]]) -> tuple[Block, ...]:
    """Return rich text as blocks: paragraphs separated by empty lines, lists and headings by their signs."""
    return tuple(_blocks(_lines(whole(Run(**run) for run in runs))))


def _lines(runs: Iterable[Run]) -> list[list[Run]]:
    lines: list[list[Run]] = [[]]
    for run in runs:
        first, *others = run.text.split("\n")
        lines[-1].append(replace(run, text=first))
        lines += [[replace(run, text=text)] for text in others]
    return lines


def _blocks(lines: Iterable[list[Run]]) -> Iterator[Block]:
    found: list[Run] = []
    for line in lines:
        words = "".join(run.text for run in line)
        sign = _SIGN.match(words)
        if sign or not replace_tags(words, lambda tag: "" if tag.startswith("{%") else tag).strip():
            yield from paragraph(found)
            found = []
            yield from _signed(sign, line) if sign else paragraph(line)
        else:
            found += [Run("\n"), *line] if found else line
    yield from paragraph(found)


def _signed(sign: re.Match[str], line: Sequence[Run]) -> Iterator[Block]:
    kinds = {"heading": Kind.HEADING, "bullet": Kind.BULLET, "number": Kind.NUMBER, "quote": Kind.QUOTE}
    level = len(sign["heading"]) if sign["heading"] else int(sign["number"] or 1)
    yield Block(kinds[str(sign.lastgroup)], tuple(_without(line, sign.end())), level=level)


def _without(line: Iterable[Run], chars: int) -> Iterator[Run]:
    for run in line:
        if len(run.text) > chars:
            yield replace(run, text=run.text[chars:])
        chars = max(0, chars - len(run.text))
