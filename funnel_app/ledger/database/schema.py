"""Schema: migrate the ledger, and compare it with the models."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from funnel_app.ledger.database.revision import MIGRATIONS, at_head, current, head, is_newer
from funnel_app.ledger.database.troubles import UnfitDatabase

__all__ = ["UnfitDatabase", "at_head", "check", "current", "downgrade", "head", "make_revision", "upgrade"]

# An arbitrary key that nothing else locks in this database.
MIGRATION_LOCK = 0x46554E4E454C


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate the ledger up, once, whoever else tries; a newer release's stays as it is."""
    with _changing(engine) as connection:
        _require_utf8(connection)
        there = MigrationContext.configure(connection).get_current_revision()
        # What needs nothing spares Alembic, which reads all migrations first.
        if not is_newer(there) and not (revision == "head" and there == head()):
            command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Migrate the ledger down (`base`: before the first); alembic's CommandError if that fails."""
    with _changing(engine) as connection:
        command.downgrade(_config(connection), revision)
        if engine.dialect.name == "sqlite" and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
            raise CommandError(f"Nothing was changed: a row of {lost[0]} would refer to nothing in {lost[2]}.")


def check(engine: Engine) -> None:
    """Raise alembic's CommandError if the ledger's tables differ from the models."""
    with engine.connect() as connection:
        command.check(_config(connection))


def make_revision(engine: Engine, name: str, revision: str) -> None:
    """Draft a migration from the models' differences to the ledger, to read and correct."""
    with engine.connect() as connection:
        command.revision(_config(connection), name, autogenerate=True, rev_id=revision)


def _require_utf8(connection: Connection) -> None:
    """Refuse a database whose encoding cannot store every name."""
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise UnfitDatabase(encoding)


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that may change tables; one at a time.

    SQLite changes a table by recreating it. Its foreign keys would delete the referring rows, or refuse: they are off
    meanwhile (https://www.sqlite.org/lang_altertable.html, section 7).
    """
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if sqlite:
            _set_references(connection, "OFF")
        try:
            with connection.begin():
                _lock(connection)
                yield connection
        finally:
            if sqlite:
                _set_references(connection, "ON")


def _set_references(connection: Connection, state: str) -> None:
    # On the raw connection, since it has no effect inside a transaction.
    connection.connection.driver_connection.execute(f"PRAGMA foreign_keys={state}")  # type: ignore[union-attr]


def _lock(connection: Connection) -> None:
    # SQLite has one writer at a time; PostgreSQL would let two create the same table.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})


def _config(connection: object | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
