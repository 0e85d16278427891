"""Series: calls that were booked at once, and how they are known to belong together.

Cal.com names a series by an id only sometimes; else its calls have the kind of event in common, and lie in its rhythm.
https://github.com/calcom/cal.com (packages/features/bookings/lib/handleCancelBooking.ts, handleNewBooking.ts)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

DAY = timedelta(days=1)
# Clocks change by an hour at most, where a rhythm keeps the time of day.
CLOCKS_CHANGE_BY = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Series:
    """What a calendar says of a series: its id and kind of event, how many days lie between its calls (0: unknown).

    `dates` are the calls that a cancellation names; without any it means all that are to come.
    """

    id: str = ""
    kind: str = ""
    every_days: int = 0
    dates: tuple[datetime, ...] = ()

    def is_the(self, other: "Series") -> bool:
        """Say whether another is the same series, as far as its id or kind says."""
        if self.id and other.id:
            return self.id == other.id
        return bool(self.kind) and self.kind == other.kind

    def includes(self, other: "Series", call_at: datetime, ended_at: datetime | None) -> bool:
        """Say whether a call of another series is of this one, a call of which is at `ended_at`."""
        return self.is_the(other) and (self.id == other.id != "" or self.meets(call_at, ended_at))

    def meets(self, call_at: datetime, other_at: datetime | None) -> bool:
        """Say whether a call is a whole number of steps of the rhythm away from another; also where none is known."""
        if not self.every_days or other_at is None:
            return True
        step = self.every_days * DAY
        beyond = abs(call_at - other_at) % step
        return min(beyond, step - beyond) <= CLOCKS_CHANGE_BY

    def names(self, call_at: datetime | None) -> bool:
        """Say whether a cancellation means a call, by its time."""
        return not self.dates or call_at in self.dates

    def as_json(self) -> dict[str, Any]:
        """Return the series as the ledger keeps it."""
        dates = [at.isoformat() for at in self.dates]
        return {"id": self.id, "kind": self.kind, "every_days": self.every_days, "dates": dates}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> "Series | None":
        """Return the series that the ledger keeps; None where a call is of none."""
        if kept is None:
            return None
        return cls(
            id=kept["id"],
            kind=kept["kind"],
            every_days=kept["every_days"],
            dates=tuple(map(datetime.fromisoformat, kept["dates"])),
        )
