"""Revision: the ledger's migration, read without importing Alembic."""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

from funnel_app.ledger.database.engine import LedgerUnavailable

MIGRATIONS = Path(__file__).parents[3] / "migrations"


def known() -> frozenset[str]:
    """Return the names of this release's migrations, which are their file names."""
    return frozenset(file.stem for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def head() -> str:
    """Return the newest migration: they are numbered, without branches. LookupError if there are none."""
    newest = max(known(), default=None)
    if newest is None:
        raise LookupError(f"There are no migrations in {MIGRATIONS}.")
    return newest


def current(engine: Engine) -> str | None:
    """Return the ledger's migration; None for an empty ledger."""
    with engine.execution_options(funnel_reads=True).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def at_head(engine: Engine) -> bool:
    """Say whether this code can work with the ledger: at the newest migration, or a newer release's.

    Migrations only add, so the previous release works on: during a redeploy, and after a rollback. An unreachable
    ledger is not at head.
    """
    try:
        return is_ready(engine)
    except LedgerUnavailable:
        return False


def is_ready(engine: Engine) -> bool:
    """Say whether a ledger is as `at_head` wants it; raises LedgerUnavailable if it cannot be reached."""
    revision = current(engine)
    return revision == head() or is_newer(revision)


def is_newer(revision: str | None) -> bool:
    """Say whether a migration belongs to a newer release."""
    return revision is not None and revision not in known()
