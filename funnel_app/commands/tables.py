"""Tables on a terminal, and the options of commands that list."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click
from rich.markup import escape
from rich.table import Column, Table

from funnel_app.commands.terminal import Terminal

# An option of every command that lists.
newest_first = click.option("--limit", default=30, show_default=True, help="How many, newest first.")


def folded(*columns: str | Column, **more: Any) -> Table:
    """Return a table in which a word that is too long goes on in the next line: it may be what has to be copied."""
    table = Table(*columns, **more)
    for column in table.columns:
        column.overflow = "fold"
    return table


def show_by_id(heading: str, rows: Iterable[Mapping[str, Any]], told: Callable[[Mapping[str, Any]], str]) -> None:
    """Show each row by its id, which stays whole: it is what other commands want."""
    table = folded(Column("id", no_wrap=True, min_width=36), heading, show_lines=True)
    for row in rows:
        table.add_row(row["id"], escape(told(row)))
    Terminal().print(table)
