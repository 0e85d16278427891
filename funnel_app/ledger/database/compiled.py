"""Precompiled statements: SQLAlchemy produces their text and value conversions once for all calls.

Building a statement and looking up the conversions costs several times what SQLite needs to execute it. What is asked
often is therefore built once, at the head of its module, and asked with named values.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, cast

from sqlalchemy import Column, ColumnElement, Connection, Dialect, Select, Table, Uuid, bindparam, insert, update
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlalchemy.types import TypeEngine

from funnel_app.ledger.database import driver

Row = Mapping[str, Any]
Keep = Callable[[Any], Any]
# A statement with its values in the form of the driver: all that is left to do in a turn to write.
Write = Callable[[Connection], object]
ROW_ID = "row_id"


@dataclass(frozen=True)
class Compiled:
    """An insert or update in the database's form: its columns' names in order, and which of them are converted."""

    text: str
    names: Sequence[str]
    keeps: Sequence[tuple[str, Keep]]
    defaults: Row
    positional: bool

    def values(self, row: Row) -> tuple[Any, ...] | dict[str, Any]:
        """Return a row in the form of the database's driver."""
        kept = {**self.defaults, **row}
        for name, keep in self.keeps:
            # Nothing is kept as nothing, whatever the column.
            if (value := kept[name]) is not None:
                kept[name] = keep(value)
        if self.positional:
            return tuple(map(kept.__getitem__, self.names))
        return {name: kept[name] for name in self.names}


class Insert:
    """Inserts rows into a table. Rows of one call name the same columns; missing ones get the default."""

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
        carry_out(connection, self.prepared(connection.dialect, rows))

    def prepared(self, dialect: Dialect, rows: Sequence[Row]) -> list[Write]:
        """Return what `into` would write."""
        return _prepared(self._compiled(dialect, tuple(rows[0])), rows) if rows else []

    def once(self, connection: Connection, row: Row, *unique: str) -> bool:
        """Insert a row unless its values exist in these columns, or in any unique ones; say whether it was inserted."""
        made = self._compiled(connection.dialect, tuple(row))
        target = f"({', '.join(unique)}) " if unique else ""
        text = f"{made.text} ON CONFLICT {target}DO NOTHING"
        return driver.write(connection, text, [made.values(row)]) == 1

    def _compiled(self, dialect: Dialect, given: tuple[str, ...]) -> Compiled:
        key = dialect.name, given
        if key not in self._made:
            self._made[key] = self._compile(dialect, given)
        return self._made[key]

    def _compile(self, dialect: Dialect, given: tuple[str, ...]) -> Compiled:
        defaults = {name: value for name, value in self._defaults.items() if name not in given}
        made = insert(self._table).compile(dialect=dialect, column_keys=[*given, *defaults])
        return _with_keeps(made, dict(self._table.c), defaults)


class Update:
    """Updates rows of a table by their ids. Rows of one call name the same columns."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._made: dict[tuple[str, tuple[str, ...]], Compiled] = {}

    def by_id(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Update the rows, if there are any, with one statement."""
        carry_out(connection, self.prepared(connection.dialect, rows))

    def prepared(self, dialect: Dialect, rows: Sequence[Row]) -> list[Write]:
        """Return what `by_id` would write."""
        if not rows:
            return []
        made = self._compiled(dialect, tuple(name for name in rows[0] if name != "id"))
        return _prepared(made, [{**row, ROW_ID: row["id"]} for row in rows])

    def _compiled(self, dialect: Dialect, given: tuple[str, ...]) -> Compiled:
        key = dialect.name, given
        if key not in self._made:
            self._made[key] = self._compile(dialect, given)
        return self._made[key]

    def _compile(self, dialect: Dialect, given: tuple[str, ...]) -> Compiled:
        statement = update(self._table).where(self._table.c.id == bindparam(ROW_ID))
        made = statement.compile(dialect=dialect, column_keys=given)
        return _with_keeps(made, {**self._table.c, ROW_ID: self._table.c.id}, {})


def carry_out(connection: Connection, writes: Iterable[Write]) -> None:
    """Write what was prepared, in its order."""
    for write in writes:
        write(connection)


def _prepared(made: Compiled, rows: Sequence[Row]) -> list[Write]:
    values = [made.values(row) for row in rows]
    return [lambda connection: driver.write(connection, made.text, values)]


def _with_keeps(made: Any, columns: Mapping[str, Column[Any]], defaults: Row) -> Compiled:
    names, dialect = getattr(made, "positiontup", None) or list(made.params), made.dialect
    keeps = [(name, keep) for name in dict.fromkeys(names) if (keep := _keep(columns[name].type, dialect))]
    return Compiled(str(made), names, keeps, defaults, dialect.positional)


def _keep(type_: TypeEngine[Any], dialect: Dialect) -> Keep | None:
    """Return the conversion of a value that is kept; None if the driver takes it as it is."""
    keep: Keep | None = type_.dialect_impl(dialect).bind_processor(dialect)
    return _HEX if keep and isinstance(type_, Uuid) else keep


@dataclass(frozen=True)
class Asked:
    """A query in the database's form, for lists of certain lengths, with the conversion of its result."""

    text: str
    order: Sequence[str] | None
    expanded: Mapping[str, Sequence[str]]
    fixed: Row
    keeps: Sequence[tuple[str, Keep]]
    columns: Sequence[tuple[str, Keep | None]]

    def values(self, given: Row) -> tuple[Any, ...] | dict[str, Any]:
        """Return the values in the form of the database's driver."""
        kept = dict(self.fixed)
        for name, value in given.items():
            if name in self.expanded:
                kept.update(zip(self.expanded[name], value, strict=True))
            else:
                kept[name] = value
        for name, keep in self.keeps:
            kept[name] = keep(kept[name])
        return kept if self.order is None else tuple(map(kept.__getitem__, self.order))

    def read(self, row: Sequence[Any]) -> dict[str, Any]:
        """Return a row of the result by its columns."""
        return {
            name: value if read is None else read(value) for (name, read), value in zip(self.columns, row, strict=True)
        }


class Question:
    """A select of values, and of lists of any length; one text serves all lengths up to a power of two."""

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self._statement = statement
        self._made: dict[tuple[str, tuple[int, ...]], Asked] = {}

    def ask(self, connection: Connection, **values: Any) -> list[dict[str, Any]]:
        """Return the rows of the result."""
        given = {name: _filled_up(value) if _is_list(value) else value for name, value in values.items()}
        key = connection.dialect.name, tuple([len(each) for each in given.values() if type(each) is list])
        if key not in self._made:
            self._made[key] = self._compile(connection.dialect, given)
        made = self._made[key]
        return [made.read(row) for row in driver.ask(connection, made.text, made.values(given))]

    def _compile(self, dialect: Dialect, given: Row) -> Asked:
        made = cast(Any, self._statement.compile(dialect=dialect))
        state = made.construct_expanded_state(dict(given))
        fixed = {name: value for name, value in state.parameters.items() if name not in given}
        columns = [(column.name, _reader(column, dialect)) for column in self._statement.selected_columns]
        order = state.positiontup if dialect.positional else None
        # The state has the conversions of lists only.
        known = {**made._bind_processors, **state.processors}
        names = [name for name in state.parameters if name not in state.parameter_expansion]
        keeps = [(name, keep) for name in names if (keep := known.get(name))]
        return Asked(state.statement, order, state.parameter_expansion, fixed, keeps, columns)


# What SQLAlchemy's own conversion does, without a call of Python's around it.
_HEX = attrgetter("hex")


def _reader(column: ColumnElement[Any], dialect: Dialect) -> Keep | None:
    """Return the conversion of a column of a result."""
    read: Keep | None = column.type.dialect_impl(dialect).result_processor(dialect, None)
    return read


def _is_list(value: object) -> bool:
    return hasattr(value, "__iter__") and not isinstance(value, str)


def _filled_up(values: Collection[Any]) -> list[Any]:
    """Pad a list to a power of two by repeating an entry, which changes no result."""
    found = list(values)
    return found + found[-1:] * ((1 << (len(found) - 1).bit_length()) - len(found))
