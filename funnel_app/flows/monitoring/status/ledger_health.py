"""Ledger health: whether it accepts writes, and whether its file is intact."""

from contextlib import nullcontext
from datetime import timedelta

import structlog
from sqlalchemy.orm import Session, sessionmaker

from funnel_app.deps import Deps
from funnel_app.ledger import heartbeats
from funnel_app.ledger.database import revision, storage
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.database.engine import LONGEST_LOG, LedgerUnavailable
from funnel_app.ledger.database.troubles import CURES, explain

WRITTEN_EVERY = timedelta(seconds=10)
KIND = "ledger_damaged"

log = structlog.get_logger()


@retry_on_conflict
def write_heartbeat(deps: Deps) -> None:
    """Write the heartbeat row. Raises LedgerUnavailable if the ledger accepts no writes."""
    with deps.sessions.begin() as session:
        heartbeats.record(session, deps.now())


def why_unusable(deps: Deps) -> str | None:
    """Return why the ledger cannot be used, in plain words; None if it accepted a write recently or now."""
    try:
        if not revision.is_ready(deps.engine):
            return "the ledger is older than this Funnel, and waits to be brought up to it"
    except LedgerUnavailable:
        return "the ledger cannot be reached"
    try:
        with deps.reads() as session:
            last = heartbeats.find(session)
        if last is None or abs(deps.now() - last.beat_at) >= WRITTEN_EVERY:
            write_heartbeat(deps)
    except LedgerUnavailable as error:
        return f"the ledger cannot be written: {explain(error)}"
    return None


def check_whole_ledger(deps: Deps) -> str | None:
    """Check the integrity of a SQLite file and store the result; return the damage, or None.

    Servers check their own pages.
    """
    damage = storage.damage(deps.engine)
    if damage:
        log.error("ledger_damaged", damage=damage, hint=CURES["damaged"])
    with deps.sessions.begin() as session:
        heartbeats.mark_checked(session, damage, deps.now())
    return damage


def shorten_log(deps: Deps) -> bool:
    """Truncate a SQLite WAL that grew behind a long reader; False while a reader still needs it."""
    if storage.log_bytes(deps.engine) <= LONGEST_LOG:
        return True
    with deps.replica.paused() if deps.replica else nullcontext():
        return storage.scrub(deps.engine)


def known_damage(reads: sessionmaker[Session]) -> str | None:
    """Return the damage found by the last integrity check, with the fix; None if intact."""
    with reads() as session:
        last = heartbeats.find(session)
    return f"{CURES['damaged']} ({last.damage})" if last is not None and last.damage else None
