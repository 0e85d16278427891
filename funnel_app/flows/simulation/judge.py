"""Judge a simulated calendar: what in it would disturb a lead."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Campaign
from funnel_app.campaigns.states import State
from funnel_app.campaigns.timing import day_of_year
from funnel_app.flows.simulation.simulate import Played

TOO_CLOSE = timedelta(hours=1)
# With a deadline this far past, a text means the next one, or tells a story.
JUST_OVER = timedelta(days=180)


def warnings_of(calendar: Sequence[Played], campaign: Campaign, begun_at: datetime) -> list[str]:
    """Return what would disturb a lead from a time on, each as a sentence.

    Emails too close to each other, held, or about something past. A lead's earlier history is not judged, since it
    cannot be fixed.
    """
    zone = ZoneInfo(campaign.timezone)
    gone = [each for each in calendar if each.gone]
    to_come = [each for each in gone if each.at >= begun_at]
    over = [each for each in to_come if _is_over(each, campaign, zone)]
    return [
        *_too_close(gone, zone, begun_at),
        *(f"{_named(each, zone)} would be held: {each.reason}" for each in calendar if each.state == State.HELD),
        *(f"{_named(each, zone)} speaks of a deadline that is over" for each in over),
        *(f"{_named(each, zone)} prepares a call that is over" for each in to_come if _is_after_call(each, campaign)),
    ]


def _too_close(gone: Sequence[Played], zone: ZoneInfo, begun_at: datetime) -> Iterator[str]:
    for first, second in pairwise(gone):
        if second.at >= begun_at and second.at - first.at < TOO_CLOSE:
            minutes = int((second.at - first.at).total_seconds() / 60)
            yield f"{_named(second, zone)} comes {minutes} minutes after {first.sequence} {first.step}"


def _is_over(each: Played, campaign: Campaign, zone: ZoneInfo) -> bool:
    today = each.at.astimezone(zone).date()
    if campaign.deadline is None:
        return False
    past = [
        deadline
        for year in (today.year - 1, today.year)
        if timedelta(0) < today - (deadline := day_of_year(year, campaign.deadline)) < JUST_OVER
    ]
    said = each.subject + each.text
    return any(re.compile(rf"\b{day:%B} {day.day}\b(?!, {day.year + 1})").search(said) for day in past)


def _is_after_call(each: Played, campaign: Campaign) -> bool:
    sequence = campaign.sequences.get(each.sequence)
    return bool(sequence and sequence.before_anchor and each.call_at and each.at > each.call_at)


def _named(each: Played, zone: ZoneInfo) -> str:
    return f"{each.sequence} {each.step} ({when(each.at, zone)})"


def when(at: datetime, zone: ZoneInfo) -> str:
    """Return a time in the business's zone: Thu 3 Dec 2026 14:00."""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y %H:%M}"
