"""Figures: what went by day, how each template fares, how long delivery takes, and how many leads become clients."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.day import bounds, local_day
from funnel_app.ledger import figures

PERCENTS = (50, 95, 99)
RECENT = timedelta(days=30)
# What Resend took: the rest was never handed over, and says nothing about delivery.
HANDED_OVER = (State.SENT, State.DELAYED, State.DELIVERED, State.BOUNCED, State.COMPLAINED)
BOUNCED = (State.BOUNCED, State.COMPLAINED)


@dataclass(frozen=True)
class Fares:
    """How one template, or one step, fares."""

    key: str
    states: Mapping[State, int]

    @property
    def planned(self) -> int:
        """How many emails there are in all."""
        return sum(self.states.values())

    @property
    def handed_over(self) -> int:
        """How many Resend took."""
        return sum(self.states.get(state, 0) for state in HANDED_OVER)

    @property
    def delivery(self) -> float | None:
        """The share of those that Resend took and that arrived; None where it took none."""
        arrived = self.states.get(State.DELIVERED, 0) + self.states.get(State.COMPLAINED, 0)
        return arrived / self.handed_over if self.handed_over else None

    @property
    def bounce(self) -> float | None:
        """The share that bounced or was complained of; None where Resend took none."""
        bad = sum(self.states.get(state, 0) for state in BOUNCED)
        return bad / self.handed_over if self.handed_over else None


@dataclass(frozen=True)
class Figures:
    """All figures of the last days; `by_day` counts by the day on which an email was due."""

    days: Sequence[date]
    by_day: Mapping[State, Sequence[int]]
    templates: Sequence[Fares]
    waits: Mapping[int, float]
    signed_up: int
    onboarded: int


def count_figures(deps: Deps, days: int) -> Figures:
    """Return the figures of so many days until today, by the business's days."""
    zone = deps.settings.timezone
    today = local_day(deps.now(), zone)
    wanted = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    spans = [bounds(day, zone) for day in wanted]
    span = (spans[0][0], spans[-1][1])
    with deps.reads() as session:
        counted = figures.by_day(session, spans)
        waits = figures.waits(session, span)
        starts = (Event.OPT_IN.value, Event.ASSESSMENT.value)
        signed_up, onboarded = figures.conversion(session, starts, Event.ONBOARDING.value, span[0])
    return Figures(
        days=wanted,
        by_day=_by_day(counted, days),
        templates=fares(deps, ((key, state, count) for _, key, state, count in counted)),
        waits={percent: seconds for percent in PERCENTS if (seconds := _percentile(waits, percent)) is not None},
        signed_up=signed_up,
        onboarded=onboarded,
    )


def recent_fares(deps: Deps) -> list[Fares]:
    """Return how each template fares: its emails of the last 30 days, and those to come."""
    with deps.reads() as session:
        return fares(deps, figures.by_template(session, deps.now() - RECENT))


def fares(deps: Deps, counted: Iterable[tuple[str, State, int]]) -> list[Fares]:
    """Return how each template of the campaigns fares, in the order of the files, also those that were never sent."""
    found: defaultdict[str, Counter[State]] = defaultdict(Counter)
    for key, state, count in counted:
        found[key][state] += count
    return [Fares(key, dict(found[key])) for key in deps.registry.template_keys()]


def _percentile(waits: Sequence[tuple[float, int]], percent: int) -> float | None:
    """Return the length that so many percent did not exceed, by the nearest rank; None of nothing."""
    rank = -(-sum(count for _, count in waits) * percent // 100)
    for seconds, count in waits:
        rank -= count
        if rank <= 0:
            return seconds
    return None


def _by_day(counted: Iterable[tuple[int, str, State, int]], days: int) -> dict[State, Sequence[int]]:
    found: Counter[tuple[State, int]] = Counter()
    for day, _, state, count in counted:
        found[state, day] += count
    present = [state for state in State if any(key[0] is state for key in found)]
    return {state: [found[state, day] for day in range(days)] for state in present}
