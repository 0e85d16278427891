"""Rehearse: make letters for the day after the season, so that missing values are known before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Campaign, Mode, Step
from funnel_app.campaigns.season import closes_on, is_open, not_on
from funnel_app.campaigns.timing import deadline_after, deadline_of
from funnel_app.deps import Deps
from funnel_app.flows.templates.recipient import variables_for
from funnel_app.flows.templates.samples import SAMPLES, made_up
from funnel_app.letters.render import LetterError, MissingVariable, Parts, render

DAY, NOON = timedelta(days=1), time(12)


@dataclass(frozen=True)
class Lacking:
    """The variables that a template lacks out of season, and the first such day."""

    names: tuple[str, ...]
    from_day: date


def lacks_off_season(deps: Deps, key: str, parts: Parts) -> Lacking | None:
    """Return what letters of a template lack out of season; None if nothing, or if they do not go then."""
    campaign, step = next((c, s) for c, _, s in deps.registry.steps() if s.template == key)
    if campaign.season is None:
        return None
    today = deps.now().astimezone(ZoneInfo(campaign.timezone)).date()
    last = last_day(campaign, today)
    closed = last + DAY
    if is_open(campaign.season, closed) or not_on(campaign, step, deadline_of(campaign, closed), closed, Mode.LIVE):
        return None
    names = _lacking(deps, campaign, step, closed, parts)
    usual = _lacking(deps, campaign, step, last, parts) if names else {}
    return Lacking(only, closed) if (only := tuple(name for name in names if name not in usual)) else None


def last_day(campaign: Campaign, today: date) -> date:
    """Return the last day of the current or next season; without seasons, the deadline."""
    season = campaign.season
    if season is None:
        return deadline_of(campaign, today)
    return closes_on(season, today) if is_open(season, today) else deadline_after(season.last, today)


def _lacking(deps: Deps, campaign: Campaign, step: Step, day: date, parts: Parts) -> dict[str, None]:
    """Return the names without a value for any sample on a day, once each, in order."""
    at = datetime.combine(day, NOON, ZoneInfo(campaign.timezone))
    # The number of bookings by then is unknown; counting today's for each template would not help.
    recipients = (made_up(deps, campaign, name, booked=0, step=step, at=at) for name in SAMPLES)
    return dict.fromkeys(name for recipient in recipients for name in _missing(parts, variables_for(deps, recipient)))


def _missing(parts: Parts, known: Mapping[str, object]) -> Iterator[str]:
    values = dict(known)
    while (missing := _first_missing(parts, values)) is not None:
        yield missing
        values[missing] = 1


def _first_missing(parts: Parts, values: Mapping[str, object]) -> str | None:
    try:
        render(parts, values)
    except MissingVariable as missing:
        return missing.name
    except LetterError:
        return None
    return None
