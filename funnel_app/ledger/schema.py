"""The ledger's shape: bring it to the newest migration, and say where it differs from the models."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

from funnel_app.ledger.revision import MIGRATIONS, at_head, current, head, is_newer
from funnel_app.ledger.troubles import UnfitDatabase

__all__ = ["UnfitDatabase", "at_head", "check", "current", "downgrade", "head", "make_revision", "upgrade"]

# Any number that nothing else locks in this database.
MIGRATION_LOCK = 0x46554E4E454C


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the ledger up to a migration, once, whoever else does so now; one of a newer release stays as it is."""
    with _changing(engine) as connection:
        _require_utf8(connection)
        if not is_newer(MigrationContext.configure(connection).get_current_revision()):
            command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Bring the ledger down to a migration (`base`: before the first); alembic's CommandError where it cannot be."""
    with _changing(engine) as connection:
        command.downgrade(_config(connection), revision)
        if engine.dialect.name == "sqlite" and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
            raise CommandError(f"Nothing was changed: a row of {lost[0]} would refer to nothing in {lost[2]}.")


def check(engine: Engine) -> None:
    """Raise alembic's CommandError where the ledger's tables differ from the models."""
    with engine.connect() as connection:
        command.check(_config(connection))


def make_revision(engine: Engine, name: str, revision: str) -> None:
    """Write a migration of what the models have and the ledger has not: a draft to read and fix."""
    with engine.connect() as connection:
        command.revision(_config(connection), name, autogenerate=True, rev_id=revision)


def _require_utf8(connection: Connection) -> None:
    """Refuse a database that cannot hold every name: it would lose D’Arcy, or return her broken."""
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise UnfitDatabase(encoding)


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction in which tables may change, which one does at a time.

    SQLite changes a table by making it again, and its rules of reference would take the rows that refer to it along, or
    refuse: they are off meanwhile (https://www.sqlite.org/lang_altertable.html, section 7).
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
    # Past SQLAlchemy, since inside a transaction it would be without effect.
    connection.connection.driver_connection.execute(f"PRAGMA foreign_keys={state}")  # type: ignore[union-attr]


def _lock(connection: Connection) -> None:
    # SQLite lets one writer begin at a time; PostgreSQL would let two make the same table.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})


def _config(connection: object | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
