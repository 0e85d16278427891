"""Seasons: when a campaign's season is open, and which deadline a letter may mention."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import NOTHING, SAME, Campaign, Event, Mode, Season, Sequence, Step
from funnel_app.campaigns.timing import NEVER, day_of_year, deadline_after

OUT_OF_SEASON = "out of season"
DEADLINE_PASSED = "the deadline has passed"


def is_open(season: Season | None, day: date) -> bool:
    """Say whether a season is open on a day, first and last included; without a season always."""
    return season is None or day <= closes_on(season, day)


@lru_cache(maxsize=256)
def closes_on(season: Season, day: date) -> date:
    """Return the last day of the latest season to begin by this day."""
    began = _last_start(season, day)
    return deadline_after(season.last, began)


def began_at(campaign: Campaign, now: datetime) -> datetime | None:
    """Return when the current or last season began in the campaign's zone; None without seasons."""
    if campaign.season is None:
        return None
    zone = ZoneInfo(campaign.timezone)
    return datetime.combine(_last_start(campaign.season, now.astimezone(zone).date()), time(), zone)


def opens_next(season: Season, day: date) -> date:
    """Return the next day, after this one, on which a season begins."""
    return deadline_after(season.first, day + timedelta(days=1))


def deadline_ahead(campaign: Campaign, deadline: date, day: date) -> date | None:
    """Return the enrolment's deadline if a letter on this day may mention it, else None.

    With a season: while it is open and the deadline is still ahead in it. Without one: always. None if the campaign has
    no deadline, or had none at enrolment.
    """
    season = campaign.season
    if campaign.deadline is None or deadline == NEVER:
        return None
    if season is None:
        return deadline
    # While the season is open: its last day is no earlier.
    return deadline if day <= deadline <= closes_on(season, day) else None


def started_on(campaign: Campaign, event: Event, day: date) -> Sequence | None:
    """Return the sequence that an event starts on this day; None if it starts none then."""
    return campaign.started_by(event) if is_open(campaign.season, day) else campaign.started_off_season(event)


def not_on(campaign: Campaign, step: Step, deadline: date, day: date, mode: Mode) -> str | None:
    """Return why a step does not go on this day: out of season, or past its deadline; None if it does.

    In testing mode season-only steps go on any day, so that their text can be seen.
    """
    if step.season_only and mode is not Mode.TEST and not is_open(campaign.season, day):
        return OUT_OF_SEASON
    ahead = deadline_ahead(campaign, deadline, day)
    return DEADLINE_PASSED if step.after_deadline == "skip" and (ahead is None or day > ahead) else None


def season_in_words(campaign: Campaign, day: date) -> str | None:
    """Say whether a campaign's season is open, and until or from when; None if it has none."""
    season = campaign.season
    if season is None:
        return None
    if is_open(season, day):
        return f"The {season.name} is open, through {_in_full(closes_on(season, day))}."
    return f"The {season.name} is closed; it opens on {_in_full(opens_next(season, day))}."


def off_season_in_words(campaign: Campaign, sequence: Sequence) -> str | None:
    """Say what the sequence's event starts out of season; None without a season."""
    if campaign.season is None or sequence.name in campaign.stand_ins(sequence.starts_on):
        return None
    starts = {SAME: "the same", NOTHING: "nothing"}.get(sequence.off_season, sequence.off_season)
    only = ", ".join(str(step.number) for step in sequence.steps if step.season_only)
    skipped = f", without email {only}" if only and sequence.off_season == SAME else ""
    return f"Out of season its event starts {starts}{skipped}."


def _in_full(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _last_start(season: Season, day: date) -> date:
    this_year = day_of_year(day.year, season.first)
    return this_year if this_year <= day else day_of_year(day.year - 1, season.first)
