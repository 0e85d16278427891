"""The ledger's shape: bring it to the newest migration, or say how far behind it is."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from funnel_app.ledger.engine import LedgerUnavailable

MIGRATIONS = Path(__file__).parents[2] / "migrations"
# Any number that nothing else locks in this database.
MIGRATION_LOCK = 0x46554E4E454C


class UnfitDatabase(Exception):
    """The database cannot keep a ledger; the message says why, and how to make one that can."""

    def __init__(self, encoding: str) -> None:
        super().__init__(
            f"The database that DATABASE_URL names has the encoding {encoding}, and a ledger needs UTF8. Make another, "
            "and name it in DATABASE_URL: CREATE DATABASE funnel ENCODING 'UTF8' TEMPLATE template0"
        )


def head() -> str:
    """Return the newest migration's name."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if newest is None:
        raise LookupError(f"There are no migrations in {MIGRATIONS}.")
    return newest


def current(engine: Engine) -> str | None:
    """Return the migration that the ledger is at; None for an empty ledger."""
    with engine.execution_options(funnel_reads=True).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def at_head(engine: Engine) -> bool:
    """Say whether this code can work on the ledger: it is at the newest migration, or a newer release brought it on.

    Migrations only add, so that the release before works on: during a redeploy, and after a rollback. A ledger that
    cannot be reached is not at head.
    """
    try:
        revision = current(engine)
    except LedgerUnavailable:
        return False
    return revision == head() or _is_newer(revision)


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the ledger up to a migration, once, whoever else does so now; one of a newer release stays as it is."""
    with engine.begin() as connection:
        _require_utf8(connection)
        _lock(connection)
        if not _is_newer(MigrationContext.configure(connection).get_current_revision()):
            command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Bring the ledger down to a migration (`base`: before the first)."""
    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def check(engine: Engine) -> None:
    """Raise alembic's CommandError where the ledger's tables differ from the models."""
    with engine.connect() as connection:
        command.check(_config(connection))


def make_revision(engine: Engine, name: str, revision: str) -> None:
    """Write a migration of what the models have and the ledger has not: a draft to read and mend."""
    with engine.connect() as connection:
        command.revision(_config(connection), name, autogenerate=True, rev_id=revision)


def _require_utf8(connection: Connection) -> None:
    """Refuse a database that cannot hold every name: it would lose D’Arcy, or return her broken."""
    if connection.dialect.name != "postgresql":
        return
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise UnfitDatabase(encoding)


def _lock(connection: Connection) -> None:
    # SQLite lets one writer begin at a time; PostgreSQL would let two make the same table.
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})


def _is_newer(revision: str | None) -> bool:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return revision is not None and revision not in known


def _config(connection: object | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
