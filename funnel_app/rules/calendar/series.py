"""Series: recurring bookings, and how they are known to belong together.

Cal.com does not always name a series by an id. Otherwise its bookings share the event type and lie at regular
intervals. https://github.com/calcom/cal.com (packages/features/bookings/lib/handleCancelBooking.ts,
handleNewBooking.ts) What a cancelled series ends is in booking_updates.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

DAY = timedelta(days=1)
# Bookings keep their time of day, so a change to summer time shifts them by an hour.
CLOCKS_CHANGE_BY = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Series:
    """A series as the calendar names it: id, event type, and the days between its bookings (0: unknown).

    `dates` are the bookings that a cancellation names; without any it means all future ones.
    """

    id: str = ""
    kind: str = ""
    every_days: int = 0
    dates: tuple[datetime, ...] = ()

    def is_the(self, other: "Series") -> bool:
        """Say whether another is the same series, by its id or event type."""
        if self.id and other.id:
            return self.id == other.id
        return bool(self.kind) and self.kind == other.kind

    def includes(self, other: "Series", call_at: datetime, ended_at: datetime | None) -> bool:
        """Say whether another series' booking belongs to this one, a booking of which is at `ended_at`."""
        return self.is_the(other) and (self.id == other.id != "" or self.meets(call_at, ended_at))

    def meets(self, call_at: datetime, other_at: datetime | None) -> bool:
        """Say whether two bookings are a whole number of intervals apart; also if the interval is unknown."""
        if not self.every_days or other_at is None:
            return True
        step = self.every_days * DAY
        beyond = abs(call_at - other_at) % step
        return min(beyond, step - beyond) <= CLOCKS_CHANGE_BY

    def names(self, call_at: datetime | None) -> bool:
        """Say whether a cancellation means a booking, by its start."""
        return not self.dates or call_at in self.dates

    def as_json(self) -> dict[str, Any]:
        """Return the series as the ledger stores it."""
        dates = [at.isoformat() for at in self.dates]
        return {"id": self.id, "kind": self.kind, "every_days": self.every_days, "dates": dates}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> "Series | None":
        """Return the series that the ledger stores; None for a booking outside any."""
        if kept is None:
            return None
        return cls(
            id=kept["id"],
            kind=kept["kind"],
            every_days=kept["every_days"],
            dates=tuple(map(datetime.fromisoformat, kept["dates"])),
        )
