"""Day counts: how many emails each template had on a day, by state, and how long those took that arrived; pure."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence

from funnel_app.campaigns.states import State

# Of a template and a state: how many took so many tenths of a second from due to delivered; no number where that is
# not known.
Counts = Mapping[tuple[str, State], Mapping[str, int]]
TO_COME = ""


def by_day(days: Sequence[Counts]) -> list[tuple[int, str, State, int]]:
    """Return the emails of each day (its place among the days), by template and state."""
    return [
        (day, key, state, sum(took.values()))
        for day, counts in enumerate(days)
        for (key, state), took in counts.items()
    ]


def waits(days: Iterable[Counts], keys: Container[str] | None) -> Sequence[tuple[float, int]]:
    """Return how long delivered emails of these templates (None: of all) took from due to delivered, in seconds.

    They are in tenths, the shortest first, each with how many took so long.
    """
    found: Counter[str] = Counter()
    for counts in days:
        for (key, state), took in counts.items():
            if state is State.DELIVERED and (keys is None or key in keys):
                found.update(took)
    found.pop(TO_COME, None)
    return sorted((int(tenths) / 10, count) for tenths, count in found.items())
