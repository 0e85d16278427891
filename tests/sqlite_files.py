"""Ledgers in SQLite's files: one is made, and each test has a copy, which no power cut threatens."""

from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from tests.once import once_a_run

# A process has one ledger and words each statement once; so do the tests, which have a ledger each.
STATEMENTS: LRUCache[object, object] = LRUCache(4000)


def _is_alike(one: SQLiteDialect_pysqlite, other: object) -> bool:
    return type(one) is type(other)


# What is kept of a statement is found by the dialect too, of which every ledger has one of its own.
SQLiteDialect_pysqlite.__eq__ = _is_alike  # type: ignore[method-assign,assignment]
SQLiteDialect_pysqlite.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign,assignment]


def migrated() -> Path:
    """Return an empty ledger at the newest migration, which is made once in a run, to be copied."""
    return once_a_run("migrated", _migrate) / "empty.db"


def _migrate(folder: Path) -> None:
    engine = open_engine(f"sqlite:///{folder / 'empty.db'}")
    schema.upgrade(engine)
    into_one_file(engine)


def into_one_file(ledger: Engine) -> None:
    """Write all of a ledger into its one file and close it, so that the file can be copied."""
    with ledger.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.dispose()


def open_copy(original: Path, path: Path) -> Engine:
    """Open a copy of a ledger at a path."""
    path.write_bytes(original.read_bytes())
    return open_again(path)


def open_again(path: Path) -> Engine:
    """Open a ledger at a path; a commit does not wait for the disk, as each does in a real one."""
    engine = open_engine(f"sqlite:///{path}")
    engine._compiled_cache = STATEMENTS  # type: ignore[assignment]  # a mapping all the same
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return engine
