"""Where the ledger lies, and whether it takes what is written."""

from pathlib import Path

from sqlalchemy import Engine, text

from funnel_app.ledger.engine import BUSY_TIMEOUT_MS

SCRUB_WITHIN_MS = 2_000


def file_of(engine: Engine) -> Path | None:
    """Return the file of a SQLite ledger; None for a server, or one that is only in memory."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        return None
    return Path(name).resolve()


def try_writing(engine: Engine) -> None:
    """Write what stands there anyway. Raises what the database says where it cannot be written.

    It is committed: what is taken back never reaches a disk that is full.
    """
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


def scrub(engine: Engine) -> bool:
    """Clear the old pages of SQLite's log, which still hold what was blanked since; False while a reader needs them.

    Whoever wants to write waits meanwhile, so it gives up after two seconds. A server's vacuum does this by itself.
    """
    if engine.dialect.name != "sqlite":
        return True
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout={SCRUB_WITHIN_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((busy, *_),) = cursor.fetchall()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        return not busy
    finally:
        raw.close()
