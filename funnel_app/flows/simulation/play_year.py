"""Play the year: simulate every sequence from starts throughout the year and around the days when texts change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Campaign
from funnel_app.campaigns.season import opens_next
from funnel_app.campaigns.timing import deadline_after
from funnel_app.deps import Deps
from funnel_app.flows.simulation.judge import warnings_of, when
from funnel_app.flows.simulation.script import Script
from funnel_app.flows.simulation.simulate import play
from funnel_app.flows.simulation.world import simulated_world

MORNING, NIGHT = time(9), time(22, 30)
EVERY, THROUGH_THE_YEAR = timedelta(days=61), 6
AROUND = (-6, -3, -1, 0, 1)


@dataclass(frozen=True)
class Rehearsed:
    """One sequence played from all starts: the number of runs, and each warning with the first start that causes it."""

    campaign: str
    sequence: str
    starts: int
    warnings: tuple[str, ...]


def rehearse(deps: Deps) -> Iterator[Rehearsed]:
    """Simulate every sequence from each start. Nothing is written, sent or asked outside."""
    with simulated_world(deps, deps.now()) as world:
        for campaign in deps.registry.campaigns.values():
            starts = sorted(_starts(campaign, deps.now()))
            for sequence in campaign.sequences.values():
                found: dict[str, str] = {}
                for at in starts:
                    calendar = play(deps.reads, world, Script(campaign=campaign, sequence=sequence, at=at))
                    for warning in warnings_of(calendar, campaign, at):
                        kind = warning.partition("(")[0]
                        found.setdefault(kind, f"begun {when(at, ZoneInfo(campaign.timezone))}: {warning}")
                yield Rehearsed(campaign.name, sequence.name, len(starts), tuple(found.values()))


def _starts(campaign: Campaign, now: datetime) -> set[datetime]:
    zone = ZoneInfo(campaign.timezone)
    today = now.astimezone(zone).date()
    edges = list(_edges(campaign, today))
    days = {today + EVERY * number for number in range(THROUGH_THE_YEAR)}
    days |= {edge + timedelta(days=number) for edge in edges for number in AROUND}
    mornings = {datetime.combine(day, MORNING, zone) for day in days}
    return mornings | {datetime.combine(edge, NIGHT, zone) for edge in edges}


def _edges(campaign: Campaign, today: date) -> Iterator[date]:
    if campaign.deadline is not None:
        yield deadline_after(campaign.deadline, today)
    if campaign.season is not None:
        yield opens_next(campaign.season, today)
