"""Bookings: one person's calls of a calendar, and which of them stand."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from funnel_app.campaigns.model import Event
from funnel_app.rules.ids import new_id
from funnel_app.rules.places import ANY_PLACE, LONG_AGO, Place


class BookingState(StrEnum):
    """Where a person's call stands; `series` is a word about all of a series and no call."""

    BOOKED = "booked"
    CANCELLED = "cancelled"
    MOVED = "moved"
    SERIES = "series"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingFacts:
    """One person's call; the names of the fields are those of the ledger's columns.

    `call_at` is when the call is by the newest word, which is of `told_at`. Where `state` is `series`, it is what was
    said of all calls of a series from `call_at` on.
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
        """Return a place by its name alone."""
        return Place.from_json(self.places[name]) if name in self.places else Place()

    @property
    def whole_places(self) -> list[Place]:
        """The places with all that is known of them; what names no place is one itself only where there is no other."""
        anywhere = self.place(ANY_PLACE)
        return [self.place(name).with_all_of(anywhere) for name in self.places if name != ANY_PLACE] or [anywhere]

    @property
    def stands(self) -> bool:
        """Say whether the person has a place in the call."""
        return any(place.stands for place in self.whole_places)

    def stood_after(self, at: datetime) -> bool:
        """Say whether the person had a place in the call at some moment after a time."""
        return any(place.stood_after(at) for place in self.whole_places)

    @property
    def booked_at(self) -> datetime | None:
        """When it was booked, by the newest word of that."""
        return max((place.booked_at for place in self.whole_places if place.booked_at), default=None)

    @property
    def given_up(self) -> tuple[datetime, Event] | None:
        """When and how the last place was given up; None while one is taken, or none was ever."""
        ups = [(p.given_up_at, p.given_up_by) for p in self.whole_places if p.given_up_at and p.given_up_by]
        return None if self.stands or not ups else max(ups)

    def heard(self, event: Event, place: str, at: datetime | None) -> "BookingFacts":
        """Return the call after one more word of a place of it."""
        after = replace(self, places={**self.places, place: self.place(place).heard(event, at).as_json()})
        return after if after.state is BookingState.SERIES else replace(after, state=after._state())

    def timed(self, call_at: datetime, told_at: datetime) -> "BookingFacts":
        """Return the call with its time, if no newer word says another one."""
        newest = (self.told_at or LONG_AGO, self.call_at or LONG_AGO)
        return self if newest >= (told_at, call_at) else replace(self, call_at=call_at, told_at=told_at)

    def _state(self) -> BookingState:
        if self.stands:
            return BookingState.BOOKED
        moved = self.given_up is not None and self.given_up[1] is Event.BOOKING_RESCHEDULED
        return BookingState.MOVED if moved else BookingState.CANCELLED

    def counts_after(self, missed_at: datetime, at: datetime) -> bool:
        """Say whether this is a later call than one that was missed, and was said to be missed at a time.

        It is one where it takes place after it, and stood then or was booked since: what was given up before is none.
        """
        if self.call_at is None or self.state is BookingState.SERIES:
            return False
        return self.call_at > missed_at and self.stood_after(at)
