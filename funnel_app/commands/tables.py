"""Tables on a terminal, and options that listing commands share."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click
from rich.markup import escape
from rich.table import Column, Table

from funnel_app.commands.terminal import Fitted, Terminal

# For every listing command.
newest_first = click.option("--limit", default=30, show_default=True, help="How many to list, newest first.")


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
