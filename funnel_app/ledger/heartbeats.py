"""Heartbeat: one row, written to test whether the ledger accepts writes; its id is the ledger's id."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from funnel_app.ledger.models.watch import Heartbeat


def find(session: Session) -> Heartbeat | None:
    """Return the row; None if it was never written."""
    return session.scalar(_FOUND)


# Worded once: each look at whether the ledger can be written to asks it.
_FOUND = select(Heartbeat).order_by(Heartbeat.id).limit(1)


def record(session: Session, now: datetime) -> None:
    """Write the heartbeat. Safe to repeat."""
    written = session.scalars(update(Heartbeat).values(beat_at=now).returning(Heartbeat.id)).all()
    if not written:
        session.add(Heartbeat(beat_at=now))


def mark_checked(session: Session, damage: str | None, now: datetime) -> None:
    """Store the result of an integrity check; None if intact."""
    record(session, now)
    session.flush()
    session.execute(update(Heartbeat).values(checked_at=now, damage=damage))
