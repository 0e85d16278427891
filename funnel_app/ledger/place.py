"""Where the ledger lies, and whether it takes what is written."""

from pathlib import Path

from sqlalchemy import Engine, text


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
