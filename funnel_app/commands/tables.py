"""Tables on a terminal."""

from typing import Any

from rich.table import Column, Table


def folded(*columns: str | Column, **more: Any) -> Table:
    """Return a table in which a word that is too long goes on in the next line: it may be what has to be copied."""
    table = Table(*columns, **more)
    for column in table.columns:
        column.overflow = "fold"
    return table
