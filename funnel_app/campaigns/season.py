"""Seasons: on which days a campaign's season is open, and which deadline a letter of a day may speak of."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import NOTHING, SAME, Campaign, Event, Mode, Season, Sequence, Step
from funnel_app.campaigns.timing import NEVER, day_of_year, deadline_after

OUT_OF_SEASON = "out of season"
DEADLINE_PASSED = "the deadline has passed"


def is_open(season: Season | None, day: date) -> bool:
    """Say whether a season is open on a day, its first and last included; without a season it is open all year."""
    return season is None or day <= closes_on(season, day)


@lru_cache(maxsize=256)
def closes_on(season: Season, day: date) -> date:
    """Return the last day of the season that began last, on this day at the latest."""
    began = _last_start(season, day)
    return deadline_after(season.last, began)


def began_at(campaign: Campaign, now: datetime) -> datetime | None:
    """Return when the season that runs, or that ran last, began on the campaign's clock; None without seasons."""
    if campaign.season is None:
        return None
    zone = ZoneInfo(campaign.timezone)
    return datetime.combine(_last_start(campaign.season, now.astimezone(zone).date()), time(), zone)


def opens_next(season: Season, day: date) -> date:
    """Return the first day after this one on which a season begins."""
    return deadline_after(season.first, day + timedelta(days=1))


def deadline_ahead(campaign: Campaign, deadline: date, day: date) -> date | None:
    """Return an enrolment's deadline if a letter of this day may speak of it, else None.

    Where there is a season, that is while it is open and the deadline lies ahead in it; without one, always.
    Where there is no deadline, or was none when they came, no letter speaks of one.
    """
    season = campaign.season
    if campaign.deadline is None or deadline == NEVER:
        return None
    if season is None:
        return deadline
    # While the season is open: its last day is no earlier.
    return deadline if day <= deadline <= closes_on(season, day) else None


def started_on(campaign: Campaign, event: Event, day: date) -> Sequence | None:
    """Return the sequence that an event starts on this day of the business; None where it starts nothing then."""
    return campaign.started_by(event) if is_open(campaign.season, day) else campaign.started_off_season(event)


def not_on(campaign: Campaign, step: Step, deadline: date, day: date, mode: Mode) -> str | None:
    """Return why a step does not go on this day of the business: out of season, or past its deadline; else None.

    Testing mode lets what is for the season only go on any day, so that its text can be seen.
    """
    if step.season_only and mode is not Mode.TEST and not is_open(campaign.season, day):
        return OUT_OF_SEASON
    ahead = deadline_ahead(campaign, deadline, day)
    return DEADLINE_PASSED if step.after_deadline == "skip" and (ahead is None or day > ahead) else None


def season_in_words(campaign: Campaign, day: date) -> str | None:
    """Say whether a campaign's season is open on a day, and until or from when; None where it has no season."""
    season = campaign.season
    if season is None:
        return None
    if is_open(season, day):
        return f"The {season.name} is open, through {_in_full(closes_on(season, day))}."
    return f"The {season.name} is closed; it opens on {_in_full(opens_next(season, day))}."


def off_season_in_words(campaign: Campaign, sequence: Sequence) -> str | None:
    """Say what the event that starts a sequence starts out of season; None where the campaign has no season."""
    if campaign.season is None or sequence.name in campaign.stand_ins(sequence.starts_on):
        return None
    starts = {SAME: "the same", NOTHING: "nothing"}.get(sequence.off_season, sequence.off_season)
    only = ", ".join(str(step.number) for step in sequence.steps if step.season_only)
    skipped = f", without email {only}" if only and sequence.off_season == SAME else ""
    return f"Out of season its event starts {starts}{skipped}."


def _in_full(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def _last_start(season: Season, day: date) -> date:
    this_year = day_of_year(day.year, season.first)
    return this_year if this_year <= day else day_of_year(day.year - 1, season.first)
