"""Heartbeats: one row that is written to see whether the ledger can be; it is the ledger's name as well."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from funnel_app.ledger.watch_models import Heartbeat


def find(session: Session) -> Heartbeat | None:
    """Return the row; None where nothing was ever written here."""
    return session.scalar(select(Heartbeat).order_by(Heartbeat.id).limit(1))


def beat(session: Session, now: datetime) -> None:
    """Write that the ledger can be written. Safe to repeat."""
    written = session.scalars(update(Heartbeat).values(beat_at=now).returning(Heartbeat.id)).all()
    if not written:
        session.add(Heartbeat(beat_at=now))


def mark_checked(session: Session, damage: str | None, now: datetime) -> None:
    """Keep what a check of the whole ledger found; None: it is whole."""
    beat(session, now)
    session.flush()
    session.execute(update(Heartbeat).values(checked_at=now, damage=damage))
