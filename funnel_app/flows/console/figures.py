"""Figures: emails by day, template results, delivery times, and conversion through the funnel.

Each for a span of days in the business's time zone, beside the span of equal length before it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.console.fares import Fares, fares_of
from funnel_app.flows.monitoring.alerts.invariants import OVERDUE_AFTER
from funnel_app.flows.monitoring.statistics.count_days import MOST_DAYS
from funnel_app.flows.monitoring.statistics.day import bounds, local_day
from funnel_app.ledger import engagements
from funnel_app.ledger.counted_days import counts_of
from funnel_app.ledger.queries import figures
from funnel_app.rules.day_counts import by_day, waits
from funnel_app.rules.figures import Stage, Wait, histogram, kept, percentile, signed_up, way_of

PERCENTS = (50, 95, 99)
ALL = "all"
Counted = Iterable[tuple[int, str, State, int]]


@dataclass(frozen=True)
class Asked:
    """The first and last day, and the campaign; None for all of them."""

    first: date
    last: date
    campaign: str | None = None

    @property
    def days(self) -> list[date]:
        """Every day of the span."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    @property
    def before(self) -> "Asked":
        """The span of equal length that ends before this one."""
        length = len(self.days)
        return Asked(self.first - timedelta(days=length), self.first - timedelta(days=1), self.campaign)


@dataclass(frozen=True)
class Outcomes:
    """What became of the emails due in a span, and how many people unsubscribed in it."""

    emails: Fares
    unsubscribed: int


@dataclass(frozen=True)
class Figures:
    """All figures of a span; `by_day` counts by the day on which an email was due.

    The funnel of the previous span's leads is measured after the same time as that of this span's.
    """

    asked: Asked
    days: Sequence[date]
    by_day: Mapping[State, Sequence[int]]
    templates: Sequence[Fares]
    waits: Mapping[int, float]
    lengths: Sequence[Wait]
    kept: float | None
    way: Sequence[Stage]
    way_before: Sequence[Stage]
    outcomes: Outcomes
    outcomes_before: Outcomes
    signed_up: int
    onboarded: int


def last_days(deps: Deps, days: int, campaign: str | None = None) -> Asked:
    """Return the span of the last days, today included."""
    today = local_day(deps.now(), deps.settings.timezone)
    return Asked(today - timedelta(days=days - 1), today, campaign)


def within_reach(deps: Deps, first: date, last: date, campaign: str | None = None) -> Asked:
    """Return the span between two days in either order, at most 366 days and not past today."""
    first, last = sorted((first, last))
    last = min(last, local_day(deps.now(), deps.settings.timezone))
    return Asked(max(min(first, last), last - timedelta(days=MOST_DAYS - 1)), last, campaign)


def count_figures(deps: Deps, asked: Asked) -> Figures:
    """Return the figures of a span, by days of the business's time zone."""
    zone, now = deps.settings.timezone, deps.now()
    spans, spans_before = ([bounds(day, zone) for day in each.days] for each in (asked, asked.before))
    span, before = ((each[0][0], each[-1][1]) for each in (spans, spans_before))
    keys = _keys(deps.registry, asked.campaign)
    with deps.reads() as session:
        days, days_before = counts_of(session, spans), counts_of(session, spans_before, lengths=False)
        looked_at = engagements.by_template(session, span)
        came = figures.came(session, asked.campaign, span, now)
        # Earlier leads are measured after the same time as the recent ones.
        came_before = figures.came(session, asked.campaign, before, now - (span[0] - before[0]))
        unsubscribed = [figures.unsubscribed(session, asked.campaign, each) for each in (span, before)]
    counted, counted_before = (_of(asked.campaign, keys, by_day(each)) for each in (days, days_before))
    lengths = waits(days, keys if asked.campaign else None)
    people, clients = signed_up(came)
    return Figures(
        asked=asked,
        days=asked.days,
        by_day=_by_day(counted, len(spans)),
        templates=fares_of(keys, ((key, state, count) for _, key, state, count in counted), looked_at),
        waits={percent: seconds for percent in PERCENTS if (seconds := percentile(lengths, percent)) is not None},
        lengths=histogram(lengths),
        kept=kept(lengths, OVERDUE_AFTER.total_seconds()),
        way=way_of(came),
        way_before=way_of(came_before),
        outcomes=Outcomes(Fares(ALL, _taken(counted)), unsubscribed[0]),
        outcomes_before=Outcomes(Fares(ALL, _taken(counted_before)), unsubscribed[1]),
        signed_up=people,
        onboarded=clients,
    )


def _keys(registry: Registry, campaign: str | None) -> list[str]:
    return [step.template for of, _, step in registry.steps() if campaign in {None, of.name}]


def _of(campaign: str | None, keys: Sequence[str], counted: Counted) -> list[tuple[int, str, State, int]]:
    # With all campaigns, templates that are in no file any more are included.
    return [row for row in counted if campaign is None or row[1] in keys]


def _taken(counted: Counted) -> dict[State, int]:
    """Return how many emails Resend accepted, by state, summed from the days."""
    found: Counter[State] = Counter()
    for _, _, state, count in counted:
        found[state] += count
    return {state: found[state] for state in figures.SUBMITTED}


def _by_day(counted: Counted, days: int) -> dict[State, Sequence[int]]:
    found: Counter[tuple[State, int]] = Counter()
    for day, _, state, count in counted:
        found[state, day] += count
    present = [state for state in State if any(key[0] is state for key in found)]
    return {state: [found[state, day] for day in range(days)] for state in present}
