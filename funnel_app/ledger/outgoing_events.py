"""Outgoing events: pending events of each receiver, leased while they are sent."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from funnel_app.ledger.models.base import is_there, unindexed, written
from funnel_app.ledger.models.outbox import OutgoingEvent, Standing
from funnel_app.ledger.models.types import UtcTime

Time = datetime | ColumnElement[datetime]


def take(session: Session, receiver: str, now: datetime, lease: timedelta, limit: int) -> list[OutgoingEvent]:
    """Lease a receiver's events that may be sent now: of each lead only the first, oldest first."""
    ids = list(session.scalars(_first_of_leads(), {"receiver": receiver, "now": now, "far": _far(now), "most": limit}))
    won = update(OutgoingEvent).where(OutgoingEvent.id.in_(ids), _waits_for(receiver), _free(now, _far(now)))
    found = session.scalars(won.values(lease_until=now + lease).returning(OutgoingEvent))
    return sorted(found, key=lambda event: event.id)


@cache
def _first_of_leads() -> Select[UUID]:
    earlier = aliased(OutgoingEvent)
    kept_back = select(earlier.id).where(
        unindexed(earlier.state) == Standing.WAITING,
        earlier.receiver == _RECEIVER,
        earlier.contact_id == OutgoingEvent.contact_id,
        earlier.id < OutgoingEvent.id,
    )
    free = and_(_waits_for(_RECEIVER), _free(_NOW, _FAR), ~is_there(kept_back))
    return select(OutgoingEvent.id).where(free).order_by(OutgoingEvent.id).limit(bindparam("most"))


def find(session: Session, event_id: UUID) -> OutgoingEvent | None:
    """Return an event by its id; None if unknown."""
    return session.get(OutgoingEvent, event_id)


def any_free(session: Session, receiver: str, now: datetime) -> bool:
    """Say whether any event of a receiver may be sent now."""
    return session.scalars(_any_free(), {"receiver": receiver, "now": now, "far": _far(now)}).first() is not None


_RECEIVER = bindparam("receiver", type_=String)
_NOW, _FAR = bindparam("now", type_=UtcTime), bindparam("far", type_=UtcTime)


@cache
def _any_free() -> Select[UUID]:
    return select(OutgoingEvent.id).where(_waits_for(_RECEIVER), _free(_NOW, _FAR)).limit(1)


def _waits_for(receiver: str | ColumnElement[str]) -> ColumnElement[bool]:
    return and_(written(OutgoingEvent.state, Standing.WAITING), OutgoingEvent.receiver == receiver)


def _free(now: Time, far: Time) -> ColumnElement[bool]:
    return and_(
        _is_not_ahead(OutgoingEvent.lease_until, now, far),
        _is_not_ahead(OutgoingEvent.next_try_at, now, far),
    )


def _is_not_ahead(at: InstrumentedAttribute[datetime | None], now: Time, far: Time) -> ColumnElement[bool]:
    return or_(at.is_(None), at <= now, at > far)


def _far(now: datetime) -> datetime:
    # Delays never reach a day: such a time was written by a wrong clock.
    return now + timedelta(days=1)


def mark_taken(session: Session, ids: Collection[UUID], now: datetime) -> None:
    """Mark these as accepted by the receiver."""
    values = {"state": Standing.TAKEN, "settled_at": now, "lease_until": None, "last_error": None}
    tried = update(OutgoingEvent).where(OutgoingEvent.id.in_(list(ids)))
    session.execute(tried.values(**values, attempts=OutgoingEvent.attempts + 1))


def postpone(session: Session, event_id: UUID, until: datetime, error: str) -> None:
    """Record that a receiver refused an event, and when to retry."""
    tried = update(OutgoingEvent).where(OutgoingEvent.id == event_id)
    values = {"next_try_at": until, "lease_until": None, "last_error": error}
    session.execute(tried.values(**values, attempts=OutgoingEvent.attempts + 1))


def put_back(session: Session, ids: Collection[UUID]) -> None:
    """Return these to the queue as if they had not been taken."""
    session.execute(update(OutgoingEvent).where(OutgoingEvent.id.in_(list(ids))).values(lease_until=None))


def give_up(session: Session, receiver: str, before: datetime, now: datetime, error: str) -> int:
    """Give up the events a receiver has not accepted since a time; return how many."""
    unleased = _is_not_ahead(OutgoingEvent.lease_until, now, _far(now))
    old = and_(_waits_for(receiver), OutgoingEvent.recorded_at < before, unleased)
    values = {"state": Standing.GIVEN_UP, "settled_at": now, "lease_until": None}
    said = func.coalesce(OutgoingEvent.last_error, error)
    given_up = update(OutgoingEvent).where(old).values(**values, last_error=said)
    return len(session.scalars(given_up.returning(OutgoingEvent.id)).all())


def offer_again(session: Session, wanted: ColumnElement[bool], now: datetime) -> int:
    """Send settled events again from now on, under the same ids; return how many."""
    values = {"state": Standing.WAITING, "recorded_at": now, "attempts": 0}
    gone = {"next_try_at": None, "lease_until": None, "last_error": None, "settled_at": None}
    again = update(OutgoingEvent).where(OutgoingEvent.state != Standing.WAITING, wanted).values(**values, **gone)
    return len(session.scalars(again.returning(OutgoingEvent.id)).all())


def of_contact(session: Session, contact_id: UUID) -> list[OutgoingEvent]:
    """Return all events of a lead, in order."""
    wanted = select(OutgoingEvent).where(OutgoingEvent.contact_id == contact_id)
    return list(session.scalars(wanted.order_by(OutgoingEvent.id)))


def is_one_of(ids: Collection[UUID]) -> ColumnElement[bool]:
    """Return the condition that an event is one of these."""
    return OutgoingEvent.id.in_(list(ids))


def was_given_up() -> ColumnElement[bool]:
    """Return the condition that an event was given up."""
    return OutgoingEvent.state == Standing.GIVEN_UP


def happened_since(since: datetime) -> ColumnElement[bool]:
    """Return the condition that an event was stored since a time."""
    return OutgoingEvent.recorded_at >= since


def newest(session: Session, state: str | None, limit: int, before: UUID | None = None) -> list[OutgoingEvent]:
    """Return the newest events, of one state or all; with `before`, older ones."""
    wanted = select(OutgoingEvent).order_by(OutgoingEvent.id.desc()).limit(limit)
    if state:
        wanted = wanted.where(OutgoingEvent.state == state)
    return list(session.scalars(wanted.where(OutgoingEvent.id < before) if before else wanted))


@dataclass(frozen=True)
class Waiting:
    """How many events wait for a receiver, and since when."""

    number: int
    since: datetime | None


def waiting_by_receiver(session: Session) -> dict[str, Waiting]:
    """Return the pending events of each receiver that has any."""
    return {receiver: Waiting(number, since) for receiver, number, since in session.execute(_WAITING)}


_WAITING = (
    select(OutgoingEvent.receiver, func.count(), func.min(OutgoingEvent.recorded_at))
    .where(written(OutgoingEvent.state, Standing.WAITING))
    .group_by(OutgoingEvent.receiver)
)
_GIVEN_UP_SINCE = select(func.count()).where(
    OutgoingEvent.settled_at >= bindparam("since"), OutgoingEvent.state == Standing.GIVEN_UP
)


def give_up_of_others(session: Session, receivers: Collection[str], before: datetime, now: datetime) -> int:
    """Give up events older than a time for receivers other than these; return how many."""
    theirs = OutgoingEvent.receiver.not_in(list(receivers)), OutgoingEvent.recorded_at < before
    values = {"state": Standing.GIVEN_UP, "settled_at": now, "last_error": "its address is set no more"}
    given_up = update(OutgoingEvent).where(written(OutgoingEvent.state, Standing.WAITING), *theirs).values(**values)
    return len(session.scalars(given_up.returning(OutgoingEvent.id)).all())


def count_given_up_since(session: Session, since: datetime) -> int:
    """Count what was given up since a time."""
    return session.scalar(_GIVEN_UP_SINCE, {"since": since}) or 0


def forget(session: Session, contact_id: UUID) -> int:
    """Delete all events of a lead; return how many."""
    gone = delete(OutgoingEvent).where(OutgoingEvent.contact_id == contact_id)
    return len(session.scalars(gone.returning(OutgoingEvent.id)).all())


def delete_settled_before(session: Session, before: datetime) -> int:
    """Delete events settled before a time; return how many."""
    old = and_(OutgoingEvent.state != Standing.WAITING, OutgoingEvent.settled_at < before)
    return len(session.scalars(delete(OutgoingEvent).where(old).returning(OutgoingEvent.id)).all())
