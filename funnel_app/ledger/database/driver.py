"""Statements whose text is made already, handed to the database's driver.

On SQLite that is the driver itself: what SQLAlchemy prepares for each statement, and for each column of an answer,
takes several times what SQLite takes to carry it out. On PostgreSQL it is SQLAlchemy's way, which also parts with
connections that broke.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from funnel_app.ledger.database.troubles import as_unavailable

Values = Sequence[Any] | dict[str, Any]


def ask(connection: Connection, text: str, values: Values = ()) -> Iterable[Sequence[Any]]:
    """Return the rows of an answer. Raises as SQLAlchemy does."""
    if (line := _line(connection)) is None:
        return connection.exec_driver_sql(text, cast(Any, values))
    try:
        return line.execute(text, values).fetchall()
    except sqlite3.Error as fault:
        raise _translated(connection, text, fault) from fault


def write(connection: Connection, text: str, rows: Sequence[Values]) -> int:
    """Carry a statement out for each of these values, and return how many rows it wrote. Raises as SQLAlchemy does."""
    one = len(rows) == 1
    if (line := _line(connection)) is None:
        counted = {"preserve_rowcount": True}
        given = cast(Any, rows[0] if one else rows)
        return connection.exec_driver_sql(text, given, execution_options=counted).rowcount
    try:
        return (line.execute(text, rows[0]) if one else line.executemany(text, rows)).rowcount
    except sqlite3.Error as fault:
        raise _translated(connection, text, fault) from fault


def _line(connection: Connection) -> sqlite3.Connection | None:
    found = connection.connection.dbapi_connection
    return found if isinstance(found, sqlite3.Connection) else None


def _translated(connection: Connection, text: str, fault: sqlite3.Error) -> BaseException:
    told = DBAPIError.instance(text, None, fault, sqlite3.Error, hide_parameters=True, dialect=connection.dialect)
    return as_unavailable(told) if isinstance(told, DBAPIError) else told
