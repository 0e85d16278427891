"""Snapshots: the whole ledger as one SQLite file, whatever its database, made while everybody works on."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import cast

from sqlalchemy import Column, Connection, Engine, LargeBinary, MetaData, Table, func, select

from funnel_app.ledger.counted_days import CountedDay
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models.types import Compressed
from funnel_app.ledger.tables import METADATA

Counts = dict[str, int]
ROWS_AT_A_TIME = 1000


class BadCopy(Exception):
    """A file is no intact ledger; the message says why."""


def write(engine: Engine, path: Path) -> Counts:
    """Write the ledger's state at one moment into a SQLite file; return the row count of each table."""
    counts = _by_pages(engine, path) if engine.dialect.name == "sqlite" else _by_rows(engine, path)
    with closing(sqlite3.connect(path)) as copy:
        # A single file: a copy in WAL mode would need two more beside it.
        copy.execute("PRAGMA journal_mode=DELETE")
    return counts


def verify(path: Path) -> Counts:
    """Open a copy of this release, check its integrity and count its rows; BadCopy if it fails."""
    check(path)
    engine = open_engine(f"sqlite:///{path}")
    try:
        with engine.execution_options(funnel_reads=True).connect() as connection:
            return count(connection)
    finally:
        engine.dispose()


def check(path: Path) -> None:
    """Open a copy of any release and check its integrity; BadCopy if it fails."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as copy:
            _check(copy)
    except sqlite3.DatabaseError as fault:
        raise BadCopy(f"it cannot be read: {fault}") from None


def count(connection: Connection) -> Counts:
    """Return how many rows each table has of what cannot be counted again."""
    return {t.name: connection.execute(select(func.count()).select_from(t)).scalar_one() for t in _tables()}


def fill(target: Connection, path: Path) -> Counts:
    """Insert all rows of a copy into an empty ledger at the newest migration, in the caller's transaction."""
    engine = open_engine(f"sqlite:///{path}")
    try:
        with engine.execution_options(funnel_reads=True).connect() as source:
            _copy_rows(source, target)
            return count(source)
    finally:
        engine.dispose()


def _check(copy: sqlite3.Connection) -> None:
    words = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
    if words != ["ok"]:
        raise BadCopy("; ".join(words))
    if not copy.execute("SELECT count(*) FROM alembic_version").fetchone()[0]:
        raise BadCopy("it has no tables")
    if orphans := copy.execute("PRAGMA foreign_key_check").fetchall():
        raise BadCopy(f"{len(orphans)} rows belong to rows that are not there")


def _by_pages(engine: Engine, path: Path) -> Counts:
    with engine.execution_options(funnel_reads=True).connect() as connection, closing(sqlite3.connect(path)) as target:
        # The count begins a transaction, so the copy is of the same moment.
        counts = count(connection)
        cast(sqlite3.Connection, connection.connection.driver_connection).backup(target)
        return counts


def _by_rows(engine: Engine, path: Path) -> Counts:
    if schema.current(engine) != schema.head():
        raise BadCopy("the ledger is not at this release's migration: use the release that it belongs to")
    copy = open_engine(f"sqlite:///{path}")
    try:
        schema.upgrade(copy)
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as source, copy.begin() as target:
            counts = count(source)
            _copy_rows(source, target)
            return counts
    finally:
        copy.dispose()


def _copy_rows(source: Connection, target: Connection) -> None:
    for table in _plain(_tables()):
        rows = source.execution_options(stream_results=True).execute(select(table))
        for part in rows.partitions(ROWS_AT_A_TIME):
            target.execute(table.insert(), [dict(row._mapping) for row in part])


def _tables() -> list[Table]:
    # What is kept of the days is forgotten as the emails come in, and counted again by the next sweeps.
    return [table for table in METADATA.sorted_tables if table.name != CountedDay.__tablename__]


def _plain(tables: Iterable[Table]) -> Iterable[Table]:
    # Compressed texts are copied as they are: recompressing would take most of the time.
    for table in tables:
        columns = [Column(c.name, LargeBinary() if isinstance(c.type, Compressed) else c.type) for c in table.columns]
        yield Table(table.name, MetaData(), *columns)
