"""Places: one person's seats in a calendar event, by the latest messages about each.

The latest message wins, by the calendar's time; of two at the same time, the cancellation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from funnel_app.campaigns.model import Event

# A message without a place concerns all places of the person in the event.
ANY_PLACE = ""
GIVE_UPS = frozenset({Event.BOOKING_CANCELLED, Event.BOOKING_RESCHEDULED})
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One seat: whether it was ever booked, when that was last said, and how and when it was given up.

    A booking without a time has no `booked_at`, and counts as newer than nothing.
    """

    booked: bool = False
    booked_at: datetime | None = None
    given_up_at: datetime | None = None
    given_up_by: Event | None = None

    @property
    def stands(self) -> bool:
        """Say whether the seat is taken."""
        return self.booked and (self.given_up_at is None or (self.booked_at or LONG_AGO) > self.given_up_at)

    def stood_after(self, at: datetime) -> bool:
        """Say whether the seat was taken at any moment after a time."""
        return self.stands or (self.booked and self.given_up_at is not None and self.given_up_at > at)

    def heard(self, event: Event, at: datetime | None) -> "Place":
        """Return the seat after one more message; safe to repeat, and in any order."""
        if event not in GIVE_UPS:
            return replace(self, booked=True, booked_at=max(filter(None, (self.booked_at, at)), default=None))
        given_up = max((self.given_up_at or LONG_AGO, self.given_up_by or ""), (at or LONG_AGO, event))
        return replace(self, given_up_at=given_up[0], given_up_by=Event(given_up[1]))

    def with_all_of(self, other: "Place") -> "Place":
        """Return the seat after all messages of this one and of another."""
        both = self
        if other.booked:
            both = both.heard(Event.BOOKING, other.booked_at)
        return both.heard(other.given_up_by, other.given_up_at) if other.given_up_by else both

    def as_json(self) -> dict[str, Any]:
        """Return the seat as the ledger stores it."""
        booked_at, given_up_at = (at.isoformat() if at else None for at in (self.booked_at, self.given_up_at))
        by = self.given_up_by.value if self.given_up_by else None
        return {"booked": self.booked, "booked_at": booked_at, "given_up_at": given_up_at, "given_up_by": by}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Place":
        """Return the seat from what the ledger stores."""
        times = {name: datetime.fromisoformat(kept[name]) for name in ("booked_at", "given_up_at") if kept[name]}
        by = Event(kept["given_up_by"]) if kept["given_up_by"] else None
        return cls(booked=kept["booked"], given_up_by=by, **times)
