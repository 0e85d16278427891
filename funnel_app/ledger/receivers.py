"""Receivers: the state of each address that gets events."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from funnel_app.ledger.database.insert_or_ignore import insert_or_ignore
from funnel_app.ledger.models.outbox import Receiver


def find(session: Session, key: str) -> Receiver | None:
    """Return a receiver's state; None if it never failed."""
    return session.get(Receiver, key)


def failing(session: Session) -> dict[str, Receiver]:
    """Return the receivers that failed when last tried."""
    return {each.key: each for each in session.scalars(_FAILING)}


# Worded once: each look of the watch asks it.
_FAILING = select(Receiver).where(Receiver.failures > 0)


def works(session: Session, key: str) -> None:
    """Record that a receiver accepted an event."""
    values = {"failures": 0, "failing_since": None, "resting_until": None, "last_error": None}
    session.execute(update(Receiver).where(Receiver.key == key, Receiver.failures > 0).values(**values))


def lock(session: Session, key: str) -> Receiver:
    """Return a receiver's state for a change to it, added if it is new: others may be adding it."""
    insert_or_ignore(session, Receiver, {"key": key}, ["key"])
    return session.get_one(Receiver, key, with_for_update=True)


def rest(known: Receiver, now: datetime, until: datetime, error: str) -> None:
    """Record a failure, and skip the receiver until a time."""
    known.failures += 1
    known.failing_since = known.failing_since or now
    known.resting_until, known.last_error = until, error


def wake(session: Session, keys: Collection[str]) -> None:
    """Make receivers due to be tried now."""
    session.execute(update(Receiver).where(Receiver.key.in_(list(keys))).values(resting_until=None))


def forget_others(session: Session, keys: Collection[str]) -> None:
    """Delete the state of receivers that are no longer configured."""
    session.execute(delete(Receiver).where(Receiver.key.not_in(list(keys))))
