"""Tables on a terminal, and options that listing commands share."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Column, Table

from funnel_app.commands.terminal import Terminal

# For every listing command.
newest_first = click.option("--limit", default=30, show_default=True, help="How many to list, newest first.")

# What is longer, as an address with a token, goes on in the next line, and takes no room from other columns.
LONGEST_KEPT = 40


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
        return Measurement(max((n for n in words if n <= LONGEST_KEPT), default=0), max(lines, default=0))


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


def folded(*columns: str | Column, **more: Any) -> Table:
    """Return a table that wraps long words instead of cutting them, since they may have to be copied."""
    table = Fitted(*columns, **more)
    for column in table.columns:
        column.overflow = "fold"
    return table


def show_by_id(heading: str, rows: Iterable[Mapping[str, Any]], told: Callable[[Mapping[str, Any]], str]) -> None:
    """Show each row under its whole id, which other commands need."""
    table = folded(Column("id", no_wrap=True, min_width=36), heading, show_lines=True)
    for row in rows:
        table.add_row(row["id"], escape(told(row)))
    Terminal().print(table)
