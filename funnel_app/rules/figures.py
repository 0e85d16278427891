"""Figures: the arithmetic behind the console's charts; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from funnel_app.campaigns.model import Event

# The funnel's stages, and the events that show a lead reached one: a no-show or a "maybe" implies a booking.
STAGES: Mapping[str, tuple[Event, ...]] = {
    "Opt-in": (Event.OPT_IN,),
    "Assessment": (Event.ASSESSMENT,),
    "Booking": (Event.BOOKING, Event.BOOKING_RESCHEDULED, Event.NO_SHOW, Event.MAYBE),
    "Client": (Event.ONBOARDING,),
}
# Upper bounds of the histogram, in seconds; the last is open.
WAITS = (1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, None)

Did = tuple[bool, ...]


@dataclass(frozen=True)
class Stage:
    """One stage of the funnel: how many reached it or a later one, how many had its event, and who stopped there."""

    name: str
    people: int
    did: int
    of_before: float | None
    of_all: float | None
    dropped: int


@dataclass(frozen=True)
class Wait:
    """The emails that took longer than one number of seconds and at most another (None: no upper bound)."""

    over: int
    at_most: int | None
    emails: int


def way_of(counted: Mapping[Did, int]) -> list[Stage]:
    """Return the funnel's stages for people counted by which events each had.

    A later event implies the earlier stages, so no stage has more people than the one before it.
    """
    people = [sum(number for did, number in counted.items() if any(did[i:])) for i in range(len(STAGES))]
    return [
        Stage(
            name=name,
            people=people[i],
            did=sum(number for did, number in counted.items() if did[i]),
            of_before=share(people[i], people[i - 1]) if i else None,
            of_all=share(people[i], people[0]),
            dropped=people[i] - people[i + 1] if i + 1 < len(people) else 0,
        )
        for i, name in enumerate(STAGES)
    ]


def signed_up(counted: Mapping[Did, int]) -> tuple[int, int]:
    """Return how many signed up, by opt-in or assessment, and how many of them became clients."""
    those = {did: number for did, number in counted.items() if any(did[:2])}
    return sum(those.values()), sum(number for did, number in those.items() if did[-1])


def share(part: int, whole: int) -> float | None:
    """Return a part divided by its total; None if the total is 0."""
    return part / whole if whole else None


def percentile(waits: Sequence[tuple[float, int]], percent: int) -> float | None:
    """Return the percentile by nearest rank; None without values."""
    rank = -(-sum(count for _, count in waits) * percent // 100)
    for seconds, count in waits:
        rank -= count
        if rank <= 0:
            return seconds
    return None


def histogram(waits: Sequence[tuple[float, int]]) -> list[Wait]:
    """Return how many emails took how long; early ones count as 0."""
    bars = []
    over = 0
    for end in WAITS:
        among = [count for took, count in waits if (took > over or not over) and (end is None or took <= end)]
        bars.append(Wait(over, end, sum(among)))
        over = end or over
    return bars


def kept(waits: Sequence[tuple[float, int]], promise_s: float) -> float | None:
    """Return the share of emails within the promised time; None without emails."""
    return share(sum(count for took, count in waits if took <= promise_s), sum(count for _, count in waits))
