"""Ledgers in SQLite's files: one is made, and each test has a copy, which no power cut threatens."""

from pathlib import Path

from sqlalchemy import Engine, event

from funnel_app.ledger.engine import open_engine


def into_one_file(ledger: Engine) -> None:
    """Write all of a ledger into its one file and close it, so that the file can be copied."""
    with ledger.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    ledger.dispose()


def open_copy(original: Path, path: Path) -> Engine:
    """Open a copy of a ledger at a path; a commit does not wait for the disk, as each does in a real one."""
    path.write_bytes(original.read_bytes())
    engine = open_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return engine
