"""Receivers: how each address that is told of events stands."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from funnel_app.ledger.outbox_models import Receiver


def find(session: Session, key: str) -> Receiver | None:
    """Return how a receiver stands; None for one that never failed."""
    return session.get(Receiver, key)


def failing(session: Session) -> dict[str, Receiver]:
    """Return the receivers that did not work when they were last tried."""
    return {each.key: each for each in session.scalars(select(Receiver).where(Receiver.failures > 0))}


def failures_of(session: Session, key: str) -> int:
    """Return how often a receiver failed, one try after the other."""
    known = session.get(Receiver, key)
    return known.failures if known else 0


def works(session: Session, key: str) -> None:
    """Note that a receiver took something."""
    values = {"failures": 0, "failing_since": None, "resting_until": None, "last_error": None}
    session.execute(update(Receiver).where(Receiver.key == key, Receiver.failures > 0).values(**values))


def rest(session: Session, key: str, now: datetime, until: datetime, error: str) -> None:
    """Note that a receiver failed, and leave it alone until a time."""
    known = session.get(Receiver, key) or Receiver(key=key, failures=0)
    known.failures += 1
    known.failing_since = known.failing_since or now
    known.resting_until, known.last_error = until, error
    session.add(known)


def wake(session: Session, keys: Collection[str]) -> None:
    """Let receivers be tried again at once."""
    session.execute(update(Receiver).where(Receiver.key.in_(list(keys))).values(resting_until=None))


def forget_others(session: Session, keys: Collection[str]) -> None:
    """Forget how receivers stand that are set no more."""
    session.execute(delete(Receiver).where(Receiver.key.not_in(list(keys))))
