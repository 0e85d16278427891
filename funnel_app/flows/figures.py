"""Figures: what went by day, how each template fares, how long delivery takes, and how many leads become clients."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.today import day_of
from funnel_app.ledger import figures

PERCENTS = (50, 95, 99)
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
    zone = ZoneInfo(deps.settings.timezone)
    _, end = day_of(deps.now(), deps.settings.timezone)
    last = end.astimezone(zone).date()
    wanted = [last - timedelta(days=back) for back in range(days, 0, -1)]
    since = datetime.combine(wanted[0], datetime.min.time(), zone)
    with deps.reads() as session:
        hours = figures.by_hour(session, since, end)
        templates = figures.by_template(session, (since, end))
        waits = figures.waits(session, since, PERCENTS)
        starts = (Event.OPT_IN.value, Event.ASSESSMENT.value)
        signed_up, onboarded = figures.conversion(session, starts, Event.ONBOARDING.value, since)
    return Figures(
        days=wanted,
        by_day=_by_day(hours, wanted, zone),
        templates=fares(deps, templates),
        waits=waits,
        signed_up=signed_up,
        onboarded=onboarded,
    )


def fares(deps: Deps, counted: Iterable[tuple[str, State, int]]) -> list[Fares]:
    """Return how each template of the campaigns fares, in the order of the files, also those that were never sent."""
    found: dict[str, dict[State, int]] = defaultdict(dict)
    for key, state, count in counted:
        found[key][state] = count
    return [Fares(key, found.get(key, {})) for key in deps.registry.template_keys()]


def _by_day(
    hours: Iterable[tuple[str, State, int]], days: Sequence[date], zone: ZoneInfo
) -> dict[State, Sequence[int]]:
    # By the hour and not by the day of UTC, since a business's day begins at another hour.
    counted: Counter[tuple[State, date]] = Counter()
    for hour, state, count in hours:
        at = datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC)
        counted[state, at.astimezone(zone).date()] += count
    present = [state for state in State if any(key[0] is state for key in counted)]
    return {state: [counted[state, day] for day in days] for state in present}
