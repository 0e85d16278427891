"""Places: one person's place in a call, taken and left, as the newest words of it say.

The newest word counts, by the calendar's own time; at the same time the one that gives up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from funnel_app.campaigns.model import Event

# What names no place is about every place that the person has in the call.
ANY_PLACE = ""
GIVE_UPS = frozenset({Event.BOOKING_CANCELLED, Event.BOOKING_RESCHEDULED})
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place in a call: whether it was ever booked, when that was said last, and how and when it was given up.

    A booking that does not say when it was made has no `booked_at`, and is newer than nothing.
    """

    booked: bool = False
    booked_at: datetime | None = None
    given_up_at: datetime | None = None
    given_up_by: Event | None = None

    @property
    def stands(self) -> bool:
        """Say whether the place is taken."""
        return self.booked and (self.given_up_at is None or (self.booked_at or LONG_AGO) > self.given_up_at)

    def stood_after(self, at: datetime) -> bool:
        """Say whether the place was taken at some moment after a time."""
        return self.stands or (self.booked and self.given_up_at is not None and self.given_up_at > at)

    def heard(self, event: Event, at: datetime | None) -> "Place":
        """Return the place after one more word of it; safe to repeat, and in any order."""
        if event not in GIVE_UPS:
            return replace(self, booked=True, booked_at=max(filter(None, (self.booked_at, at)), default=None))
        given_up = max((self.given_up_at or LONG_AGO, self.given_up_by or ""), (at or LONG_AGO, event))
        return replace(self, given_up_at=given_up[0], given_up_by=Event(given_up[1]))

    def with_all_of(self, other: "Place") -> "Place":
        """Return the place after all words of this one and of another."""
        both = self
        if other.booked:
            both = both.heard(Event.BOOKING, other.booked_at)
        return both.heard(other.given_up_by, other.given_up_at) if other.given_up_by else both

    def as_json(self) -> dict[str, Any]:
        """Return the place as the ledger keeps it."""
        booked_at, given_up_at = (at.isoformat() if at else None for at in (self.booked_at, self.given_up_at))
        by = self.given_up_by.value if self.given_up_by else None
        return {"booked": self.booked, "booked_at": booked_at, "given_up_at": given_up_at, "given_up_by": by}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Place":
        """Return the place that the ledger keeps."""
        times = {name: datetime.fromisoformat(kept[name]) for name in ("booked_at", "given_up_at") if kept[name]}
        by = Event(kept["given_up_by"]) if kept["given_up_by"] else None
        return cls(booked=kept["booked"], given_up_by=by, **times)
