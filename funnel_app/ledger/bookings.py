"""Bookings: people's calendar events, and messages about all attendees of one."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Event
from funnel_app.ledger.database.compiled import Question
from funnel_app.ledger.models import HookEvent
from funnel_app.ledger.models.base import one_of, written
from funnel_app.ledger.models.bookings import Booking
from funnel_app.rules.calendar.bookings import BookingFacts, BookingState
from funnel_app.rules.calendar.whole import Whole, WholeWord
from funnel_app.rules.states import HEARD

BOOKINGS = Booking.metadata.tables[Booking.__tablename__]
HOOKS = HookEvent.metadata.tables[HookEvent.__tablename__]
BOOKING_COLUMNS = tuple(column.name for column in BOOKINGS.c)
Shared = Collection[tuple[str, str]]

_OF_CONTACTS = Question(select(BOOKINGS).where(one_of(BOOKINGS.c.contact_id, "ids")).order_by(BOOKINGS.c.id))
_WHOLE = Question(
    select(*(HOOKS.c[name] for name in ("campaign", "occurrence", "event", "happened_at", "whole"))).where(
        HOOKS.c.whole.is_not(None),
        HOOKS.c.outcome.in_(HEARD),
        one_of(HOOKS.c.campaign, "campaigns"),
        one_of(HOOKS.c.occurrence, "occurrences"),
    )
)
# By campaign and by event separately, so possibly one more than needed is locked, which is harmless.
WHO_COMES = select(BOOKINGS.c.contact_id).where(
    BOOKINGS.c.state != BookingState.SERIES,
    one_of(BOOKINGS.c.campaign, "campaigns"),
    one_of(BOOKINGS.c.occurrence, "occurrences"),
)


def split(shared: Shared) -> tuple[list[str], list[str]]:
    """Return the campaigns and the calendar events of these pairs."""
    return sorted({campaign for campaign, _ in shared}), sorted({occurrence for _, occurrence in shared})


def count(session: Session, campaign: str, mode: str, since: datetime | None = None) -> int:
    """Count the bookings that stand, of one mode: one per person and event, whatever the number of places.

    With `since`, earlier ones do not count.
    """
    of = {"campaign": campaign, "mode": mode}
    return session.scalar(*((_BOOKED, of) if since is None else (_BOOKED_SINCE, {**of, "since": since}))) or 0


_BOOKED = select(func.count()).where(
    written(Booking.state, BookingState.BOOKED),
    Booking.campaign == bindparam("campaign"),
    Booking.mode == bindparam("mode"),
)
_BOOKED_SINCE = _BOOKED.where(func.coalesce(Booking.call_at, Booking.told_at) >= bindparam("since"))


def find_call_at(session: Session, campaign: str, occurrence: str) -> datetime | None:
    """Return the start of a calendar event by the latest message; None if unknown."""
    wanted = select(Booking.call_at).where(
        Booking.campaign == campaign, Booking.occurrence == occurrence, Booking.call_at.is_not(None)
    )
    return session.scalars(wanted.order_by(Booking.told_at.desc()).limit(1)).one_or_none()


def of_contact(session: Session, contact_id: UUID) -> list[Booking]:
    """Return a contact's bookings, by their start."""
    wanted = select(Booking).where(Booking.contact_id == contact_id)
    return list(session.scalars(wanted.order_by(Booking.call_at, Booking.id)))


def lock(connection: Connection, shared: Shared) -> None:
    """Lock these calendar events until the transaction ends; SQLite has a single writer anyway.

    A new attendee has no row that could be locked, and one message may be about all attendees.
    """
    if connection.dialect.name != "postgresql":
        return
    for key in sorted(_number(campaign, occurrence) for campaign, occurrence in shared):
        connection.execute(select(func.pg_advisory_xact_lock(key)))


def _number(campaign: str, occurrence: str) -> int:
    digest = hashlib.sha256(f"{campaign}/{occurrence}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def of_contacts(connection: Connection, ids: Collection[UUID]) -> Mapping[UUID, tuple[BookingFacts, ...]]:
    """Return the bookings of each of these contacts."""
    found: defaultdict[UUID, tuple[BookingFacts, ...]] = defaultdict(tuple)
    for row in _OF_CONTACTS.ask(connection, ids=ids):
        fact: Mapping[Any, Any] = {**row, "state": BookingState(row["state"])}
        found[row["contact_id"]] += (BookingFacts(**fact),)
    return found


def whole_words(connection: Connection, shared: Shared) -> Mapping[tuple[str, str], tuple[WholeWord, ...]]:
    """Return the messages about all attendees of these events, and of those they were moved to."""
    found: dict[tuple[str, str], tuple[WholeWord, ...]] = {}
    wanted = set(shared)
    while wanted:
        found |= dict.fromkeys(wanted, ())
        campaigns, occurrences = split(wanted)
        for row in _WHOLE.ask(connection, campaigns=campaigns, occurrences=occurrences):
            key, whole = (row["campaign"], row["occurrence"]), Whole.from_json(row["whole"])
            if key in wanted:
                found[key] += (WholeWord(event=Event(row["event"]), at=row["happened_at"], whole=whole),)
        wanted = {(key[0], word.whole.to) for key, words in found.items() for word in words if word.whole.to}
        wanted -= found.keys()
    return found


def as_rows(changed: Iterable[BookingFacts]) -> list[dict[str, Any]]:
    """Return bookings as rows of the table."""
    return [{name: getattr(booking, name) for name in BOOKING_COLUMNS} for booking in changed]
