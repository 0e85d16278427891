"""Terminal output with colours and tables: strangers' text without control characters."""

from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Column, Table

from funnel_app.commands.plain_text import printable

# What is longer, as an address with a token, goes on in the next line, and takes no room from other columns.
LONGEST_KEPT = 40


class Terminal(Console):
    """A terminal that escapes control characters in every cell, title and word."""

    def render(self, renderable: RenderableType, options: Any = None) -> Iterable[Segment]:
        """Yield the segments to print, each with control characters escaped."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def pass_on(self, text: str) -> None:
        """Print what this terminal rendered before, with its colours."""
        click.echo(text, nl=False)


class Fitted(Table):
    """A table whose columns share what room there is so that no word is cut for which there is room."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table with the widths of its columns."""
        measured = [self._measured(console, column) for column in self.columns]
        room = options.max_width - self._extra_width - sum(self._get_padding_width(n) for n in range(len(measured)))
        for column, width in zip(self.columns, widths(measured, room), strict=True):
            column.width = width
        yield from super().__rich_console__(console, options)

    def _measured(self, console: Console, column: Column) -> Measurement:
        texts = [console.render_str(str(cell)).plain for cell in (column.header, *column.cells)]
        words = [cell_len(word) for text in texts for word in text.split()]
        lines = [cell_len(line) for text in texts for line in text.splitlines()]
        longest, word = max(lines, default=0), max((n for n in words if n <= LONGEST_KEPT), default=0)
        return Measurement(longest if column.no_wrap else word, longest)


def widths(measured: Sequence[Measurement], room: int) -> list[int]:
    """Return the width of each column: its longest word at least, where there is room, and else about the same for all.

    `measured` has the longest word and the longest line of each.
    """
    most = max((n for n in range(room + 1) if sum(min(each.minimum, n) for each in measured) <= room), default=0)

    def sharing(level: int) -> list[int]:
        return [min(max(level, min(each.minimum, most)), each.maximum) for each in measured]

    return max(
        (sharing(level) for level in range(room + 1) if sum(sharing(level)) <= room), default=sharing(0), key=sum
    )
