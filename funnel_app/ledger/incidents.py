"""Incidents: what is wrong now, one row a thing, however many processes see it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from funnel_app.ledger.insert_or_ignore import insert_once
from funnel_app.ledger.watch_models import Incident


def begin(session: Session, kind: str, subject: str, detail: str, now: datetime) -> bool:
    """Note that something is wrong; False where that is known already."""
    row = {"kind": kind, "subject": subject, "detail": detail, "opened_at": now, "seen_at": now}
    return insert_once(session, Incident, row)


def current(session: Session, kinds: Collection[str] | None = None) -> list[Incident]:
    """Return what is wrong now, of these kinds or of all, oldest first."""
    wanted = select(Incident).where(Incident.ended_at.is_(None)).order_by(Incident.opened_at, Incident.id)
    return list(session.scalars(wanted if kinds is None else wanted.where(Incident.kind.in_(list(kinds)))))


def lock_current(session: Session, kinds: Collection[str]) -> list[Incident]:
    """Return the same, locked until the transaction ends, so that each change of an incident is made once."""
    wanted = select(Incident).where(Incident.ended_at.is_(None), Incident.kind.in_(list(kinds)))
    return list(session.scalars(wanted.order_by(Incident.id).with_for_update()))


def delete_ended_before(session: Session, before: datetime) -> int:
    """Delete what was over before a time; return how many."""
    old = delete(Incident).where(Incident.ended_at < before).returning(Incident.id)
    return len(session.scalars(old).all())
