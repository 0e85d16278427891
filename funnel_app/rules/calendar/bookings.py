"""Bookings: one person's calendar events, and which of them stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from funnel_app.campaigns.model import Event
from funnel_app.rules.calendar.places import ANY_PLACE, LONG_AGO, Place
from funnel_app.rules.ids import new_id


class BookingState(StrEnum):
    """Where a booking stands; `series` is a message about a whole series and no single booking."""

    BOOKED = "booked"
    CANCELLED = "cancelled"
    MOVED = "moved"
    SERIES = "series"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFacts:
    """One person's booking; field names are the ledger's columns.

    `call_at` is the start by the latest message, which was of `told_at`. If `state` is `series`, it says what was said
    of all bookings of a series from `call_at` on.
    """

    id: UUID = field(default_factory=new_id)
    contact_id: UUID
    campaign: str
    occurrence: str
    mode: str
    call_at: datetime | None = None
    told_at: datetime | None = None
    series: Mapping[str, Any] | None = None
    places: Mapping[str, Any] = field(default_factory=dict)
    state: BookingState = BookingState.CANCELLED

    def place(self, name: str) -> Place:
        """Return the place with this name, ignoring what is known of all places."""
        return Place.from_json(self.places[name]) if name in self.places else Place()

    @property
    def whole_places(self) -> list[Place]:
        """The places with all that is known of them; an unnamed one counts as a place only if there is no other."""
        anywhere = self.place(ANY_PLACE)
        return [self.place(name).with_all_of(anywhere) for name in self.places if name != ANY_PLACE] or [anywhere]

    @property
    def stands(self) -> bool:
        """Say whether the person has a place in the call."""
        return any(place.stands for place in self.whole_places)

    def stood_after(self, at: datetime) -> bool:
        """Say whether the person had a place in the call at any moment after a time."""
        return any(place.stood_after(at) for place in self.whole_places)

    @property
    def booked_at(self) -> datetime | None:
        """When it was booked, by the latest message about that."""
        return max((place.booked_at for place in self.whole_places if place.booked_at), default=None)

    @property
    def given_up(self) -> tuple[datetime, Event] | None:
        """When and how the last place was given up; None while a place is taken, or if none ever was."""
        ups = [(p.given_up_at, p.given_up_by) for p in self.whole_places if p.given_up_at and p.given_up_by]
        return None if self.stands or not ups else max(ups)

    def heard(self, event: Event, place: str, at: datetime | None) -> "BookingFacts":
        """Return the booking after one more message about one of its places."""
        after = replace(self, places={**self.places, place: self.place(place).heard(event, at).as_json()})
        return after if after.state is BookingState.SERIES else replace(after, state=after._state())

    def timed(self, call_at: datetime, told_at: datetime) -> "BookingFacts":
        """Return the booking with this time, unless a newer message gave another."""
        newest = (self.told_at or LONG_AGO, self.call_at or LONG_AGO)
        return self if newest >= (told_at, call_at) else replace(self, call_at=call_at, told_at=told_at)

    def _state(self) -> BookingState:
        if self.stands:
            return BookingState.BOOKED
        moved = self.given_up is not None and self.given_up[1] is Event.BOOKING_RESCHEDULED
        return BookingState.MOVED if moved else BookingState.CANCELLED

    def counts_after(self, missed_at: datetime, at: datetime) -> bool:
        """Say whether this is a later booking than a missed one, which was reported missed at a time.

        It is if it takes place later, and stood then or was booked since. One given up before does not count.
        """
        if self.call_at is None or self.state is BookingState.SERIES:
            return False
        return self.call_at > missed_at and self.stood_after(at)
