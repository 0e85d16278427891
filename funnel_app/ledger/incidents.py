"""Incidents: what is wrong now, one row each, however many processes see it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.orm import Session

from funnel_app.ledger.database.insert_or_ignore import insert_or_ignore
from funnel_app.ledger.models.base import one_of
from funnel_app.ledger.models.watch import Incident

# Built once: the watch asks them many times a minute.
_OPEN, _OF_KINDS = Incident.ended_at.is_(None), one_of(Incident.kind, "kinds")
_CURRENT = select(Incident).where(_OPEN).order_by(Incident.opened_at, Incident.id)
_CURRENT_OF = _CURRENT.where(_OF_KINDS)
_SEEN_SINCE = select(Incident).where(_OF_KINDS, Incident.seen_at > bindparam("since"))
_PUT_ASIDE_AT = select(func.max(Incident.ended_at)).where(
    Incident.kind == bindparam("kind"), Incident.put_aside.is_not(None)
)
_CHANGED_SINCE = (
    select(Incident.id)
    .where(or_(Incident.opened_at > bindparam("since"), Incident.ended_at > bindparam("since")))
    .limit(1)
)
_LOCKED = select(Incident).where(_OPEN, _OF_KINDS).order_by(Incident.id).with_for_update()


def begin(session: Session, kind: str, subject: str, detail: str, now: datetime) -> bool:
    """Open an incident; False if it is open already."""
    row = {"kind": kind, "subject": subject, "detail": detail, "opened_at": now, "seen_at": now}
    return insert_or_ignore(session, Incident, row)


def current(session: Session, kinds: Collection[str] | None = None) -> list[Incident]:
    """Return the open incidents, of these kinds or of all, oldest first."""
    return list(session.scalars(_CURRENT) if kinds is None else session.scalars(_CURRENT_OF, {"kinds": list(kinds)}))


def find_current(session: Session, incident_id: UUID) -> Incident | None:
    """Return an open incident, locked; None if it is over or never existed."""
    wanted = select(Incident).where(Incident.id == incident_id, Incident.ended_at.is_(None))
    return session.scalars(wanted.with_for_update()).one_or_none()


def last_put_aside_at(session: Session, kind: str) -> datetime | None:
    """Return when an operator last put aside an incident of a kind; None if never."""
    return session.scalars(_PUT_ASIDE_AT, {"kind": kind}).one_or_none()


def any_changed_since(session: Session, since: datetime) -> bool:
    """Say whether any incident began or ended after a time."""
    return session.scalars(_CHANGED_SINCE, {"since": since}).first() is not None


def seen_since(session: Session, kinds: Collection[str], since: datetime) -> list[Incident]:
    """Return the incidents of these kinds that were seen after a time, over or not."""
    return list(session.scalars(_SEEN_SINCE, {"kinds": list(kinds), "since": since}))


def lock_current(session: Session, kinds: Collection[str]) -> list[Incident]:
    """Return the open incidents, locked until the transaction ends, so that each change is made once."""
    return list(session.scalars(_LOCKED, {"kinds": list(kinds)}))


def delete_ended_before(session: Session, before: datetime) -> int:
    """Delete what was over before a time; return how many."""
    old = delete(Incident).where(Incident.ended_at < before).returning(Incident.id)
    return len(session.scalars(old).all())
