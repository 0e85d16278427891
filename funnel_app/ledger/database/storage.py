"""Storage: where the ledger's file is, and whether it can be written."""

import os
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from funnel_app.ledger.database.engine import BUSY_TIMEOUT_MS

SCRUB_WITHIN_MS = 2_000


def file_of(engine: Engine) -> Path | None:
    """Return the file of a SQLite ledger; None for a server or an in-memory one."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:":
        return None
    return Path(name).resolve()


def try_writing(engine: Engine) -> None:
    """Rewrite an existing value. Raises the database's error if it cannot be written.

    It is committed: a rolled back write would not reach a full disk.
    """
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))


def owner_cure(folder: Path) -> str:
    """Return our user, a folder's owner, and the command that makes it ours."""
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    owner, us = there.stat().st_uid, os.geteuid()
    return f"{there} belongs to uid {owner}, and Funnel runs as uid {us}: chown -R {us}:{os.getegid()} {there}"


def why_closed(engine: Engine) -> str | None:
    """Return why we may not write the file of a SQLite ledger, with the fix; None if we may."""
    file = file_of(engine)
    if file is None:
        return None
    if not file.parent.is_dir():
        return f"the ledger's folder {file.parent} is not there: mount the volume, or fix DATABASE_URL (four slashes)"
    beside = [file.parent, *(place for place in (file, file.with_name(f"{file.name}-wal")) if place.exists())]
    closed = next((place for place in beside if not os.access(place, os.W_OK)), None)
    return owner_cure(closed) if closed else None


def damage(engine: Engine) -> str | None:
    """Return the damage in the file of a SQLite ledger; None if intact, or on a server.

    https://www.sqlite.org/pragma.html#pragma_quick_check: it reads every page, and takes no locks.
    """
    if engine.dialect.name != "sqlite":
        return None
    try:
        with engine.execution_options(funnel_reads=True).connect() as connection:
            words = [str(row[0]) for row in connection.execute(text("PRAGMA quick_check(3)"))]
    except DBAPIError as error:
        return str(error.orig)
    return None if words == ["ok"] else "; ".join(words)


def log_bytes(engine: Engine) -> int:
    """Return the size of SQLite's WAL; 0 for a server."""
    file = file_of(engine)
    log = file.with_name(f"{file.name}-wal") if file else None
    return log.stat().st_size if log and log.exists() else 0


def scrub(engine: Engine) -> bool:
    """Truncate SQLite's WAL, whose old pages still hold erased data; False while a reader needs them.

    Writers wait meanwhile, so it gives up after two seconds. A server's vacuum does this by itself.
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
