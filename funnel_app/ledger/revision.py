"""Which migration the ledger is at, read without the migrating itself, which only those import who migrate."""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

from funnel_app.ledger.engine import LedgerUnavailable

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def known() -> frozenset[str]:
    """Return the names of all migrations of this release; a migration's name is that of its file."""
    return frozenset(file.stem for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def head() -> str:
    """Return the newest migration's name: they are numbered, without branches. LookupError where there are none."""
    newest = max(known(), default=None)
    if newest is None:
        raise LookupError(f"There are no migrations in {MIGRATIONS}.")
    return newest


def current(engine: Engine) -> str | None:
    """Return the migration that the ledger is at; None for an empty ledger."""
    with engine.execution_options(funnel_reads=True).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def at_head(engine: Engine) -> bool:
    """Say whether this code can work on the ledger: it is at the newest migration, or a newer release brought it on.

    Migrations only add, so that the release before works on: during a redeploy, and after a rollback. A ledger that
    cannot be reached is not at head.
    """
    try:
        revision = current(engine)
    except LedgerUnavailable:
        return False
    return revision == head() or is_newer(revision)


def is_newer(revision: str | None) -> bool:
    """Say whether a migration is one of a newer release, which this one does not know."""
    return revision is not None and revision not in known()
