"""Inserts whose text is made once: SQLAlchemy says how they are written and how values are kept, once for all calls.

To put a statement together, and to look up how each of its values is kept, costs several times what SQLite takes to
carry it out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Table, insert
from sqlalchemy.sql.schema import ScalarElementColumnDefault

Row = Mapping[str, Any]
Keep = Callable[[Any], Any]


@dataclass(frozen=True)
class Compiled:
    """An insert as a database takes it, and how it keeps the value of each column, in the order of the text."""

    text: str
    keeps: Sequence[tuple[str, Keep | None]]
    defaults: Row
    positional: bool

    def values(self, row: Row) -> tuple[Any, ...] | dict[str, Any]:
        """Return a row as the database's driver takes it."""
        row = {**self.defaults, **row}
        if self.positional:
            return tuple([row[name] if keep is None else keep(row[name]) for name, keep in self.keeps])
        return {name: row[name] if keep is None else keep(row[name]) for name, keep in self.keeps}


class Insert:
    """Puts rows into a table. Those of one call name the same columns; what they leave out has the column's default."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._defaults = {
            column.name: column.default.arg
            for column in table.c
            if isinstance(column.default, ScalarElementColumnDefault)
        }
        self._made: dict[tuple[str, tuple[str, ...]], Compiled] = {}

    def into(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert the rows, if there are any, with one statement."""
        if not rows:
            return
        made = self._compiled(connection.dialect, tuple(rows[0]))
        values = [made.values(row) for row in rows]
        connection.exec_driver_sql(made.text, cast(Any, values if len(values) > 1 else values[0]))

    def _compiled(self, dialect: Dialect, given: tuple[str, ...]) -> Compiled:
        key = dialect.name, given
        if key not in self._made:
            self._made[key] = self._compile(dialect, given)
        return self._made[key]

    def _compile(self, dialect: Dialect, given: tuple[str, ...]) -> Compiled:
        defaults = {name: value for name, value in self._defaults.items() if name not in given}
        made = insert(self._table).compile(dialect=dialect, column_keys=[*given, *defaults])
        names = getattr(made, "positiontup", None) or list(made.params)
        types = {name: self._table.c[name].type.dialect_impl(dialect) for name in names}
        keeps = [(name, types[name].bind_processor(dialect)) for name in names]
        return Compiled(str(made), keeps, defaults, dialect.positional)
