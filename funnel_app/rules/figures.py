"""Figures: the arithmetic of what the console draws; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from funnel_app.campaigns.model import Event

# The way of a lead, and what shows that somebody came so far: who missed a call, or thought it over, had booked one.
STAGES: Mapping[str, tuple[Event, ...]] = {
    "Opt-in": (Event.OPT_IN,),
    "Assessment": (Event.ASSESSMENT,),
    "Booking": (Event.BOOKING, Event.BOOKING_RESCHEDULED, Event.NO_SHOW, Event.MAYBE),
    "Client": (Event.ONBOARDING,),
}
# Where a bar of the waits ends, in seconds; the last has no end.
WAITS = (1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, None)

Did = tuple[bool, ...]


@dataclass(frozen=True)
class Stage:
    """One stage of the way: how many came so far or further, how many did this very thing, and who went no further."""

    name: str
    people: int
    did: int
    of_before: float | None
    of_all: float | None
    dropped: int


@dataclass(frozen=True)
class Wait:
    """The emails that took longer than one number of seconds and at most another (None: any longer)."""

    over: int
    at_most: int | None
    emails: int


def way_of(counted: Mapping[Did, int]) -> list[Stage]:
    """Return the stages of the way of people, counted by which of them each did.

    Who did a later thing came past the earlier ones, so that no stage has more people than the one before it.
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
    """Return a part as a share of one; None of nothing."""
    return part / whole if whole else None


def percentile(waits: Sequence[tuple[float, int]], percent: int) -> float | None:
    """Return the length that so many percent did not exceed, by the nearest rank; None of nothing."""
    rank = -(-sum(count for _, count in waits) * percent // 100)
    for seconds, count in waits:
        rank -= count
        if rank <= 0:
            return seconds
    return None


def histogram(waits: Sequence[tuple[float, int]]) -> list[Wait]:
    """Return how many emails took how long; what came before its time took nothing."""
    bars = []
    over = 0
    for end in WAITS:
        among = [count for took, count in waits if (took > over or not over) and (end is None or took <= end)]
        bars.append(Wait(over, end, sum(among)))
        over = end or over
    return bars


def kept(waits: Sequence[tuple[float, int]], promise_s: float) -> float | None:
    """Return the share of emails that took no longer than was promised; None of nothing."""
    return share(sum(count for took, count in waits if took <= promise_s), sum(count for _, count in waits))
