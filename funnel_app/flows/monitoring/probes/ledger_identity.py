"""Ledger identity: Redis remembers the ledger's id, so that an empty replacement is noticed."""

from pathlib import Path
from typing import TYPE_CHECKING

from funnel_app.flows.monitoring.probes.backup_files import taken
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.process_status import ProcessStatus
from funnel_app.ledger import heartbeats

if TYPE_CHECKING:
    # Imports no collaborators, which halves the start-up time of a migration.
    from funnel_app.deps import Deps

NEW_LEDGER = "To begin a new one on purpose, run flask --app wsgi db upgrade once."


def remember_ledger(deps: "Deps") -> None:
    """Store the ledger's id in Redis. Safe to repeat."""
    with deps.reads() as session:
        row = heartbeats.find(session)
    if row is not None:
        deps.process_status.remember_ledger(str(row.id))


def why_not_empty(status: ProcessStatus, backup_dir: str | None) -> str | None:
    """Return the evidence of a ledger before this empty one, with the fix; None if there is none.

    Without Redis there is no evidence.
    """
    try:
        known = status.remembered_ledger()
    except Unavailable:
        known = None
    copies = taken(Path(backup_dir)) if backup_dir else []
    if known is None and not copies:
        return None
    witness = f"Redis remembers the ledger {known}" if known else f"{copies[-1][1]} is a backup of one"
    cure = "See that DATABASE_URL is the one of before and that its volume is mounted, or restore: docs/restore.md"
    return f"DATABASE_URL names an empty ledger, and {witness}. {cure}. {NEW_LEDGER}"
