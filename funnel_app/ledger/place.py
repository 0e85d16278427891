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
    """Write and take it back. Raises what the database says where it cannot be written."""
    with engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        transaction.rollback()
