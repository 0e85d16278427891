"""Timing: when a step is due, in live and in testing mode."""

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Campaign, Mode, Step, Window

# The deadline of leads who enrolled while the campaign had none.
NEVER = date.max
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


def due_at(
    step: Step, anchor: datetime, *, mode: Mode, interval_seconds: int, zone: ZoneInfo | None = None
) -> datetime:
    """Return when a step is due: aware UTC, in whole seconds, rounded up so that nothing goes early.

    A delay in days keeps the anchor's time of day in `zone`, one in hours or minutes is exact, and in testing mode it
    is a whole number of intervals. Raises ValueError for an anchor without a zone.
    """
    if anchor.tzinfo is None:
        raise ValueError(f"The anchor {anchor} has no time zone.")
    if mode is Mode.TEST:
        due = anchor.astimezone(UTC) + timedelta(seconds=step.test_intervals * interval_seconds)
    elif step.in_days and zone is not None:
        due = days_later(anchor, step.delay.days, zone)
    else:
        due = anchor.astimezone(UTC) + step.delay
    return due if due.microsecond == 0 else due.replace(microsecond=0) + SECOND


def days_later(at: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Return the same local time some days later or earlier, as UTC.

    A time skipped by a clock change moves on by the skipped span; of a repeated one, the first counts.
    """
    local = at.astimezone(zone)
    # Through UTC: an aware time plus days is an exact span, and might name a time that a clock change skips.
    moved = datetime.combine(local.date() + days * DAY, local.time().replace(fold=0), zone)
    return (moved if days else at).astimezone(UTC)


@lru_cache(maxsize=256)
def deadline_after(deadline: tuple[int, int], today: date) -> date:
    """Return the next day with this month and day, today included; 29 February falls on the 28th in short years."""
    this_year = day_of_year(today.year, deadline)
    return this_year if this_year >= today else day_of_year(today.year + 1, deadline)


def deadline_of(campaign: Campaign, today: date) -> date:
    """Return the deadline of a lead who enrols today; NEVER if the campaign has none."""
    return deadline_after(campaign.deadline, today) if campaign.deadline else NEVER


def day_of_year(year: int, day: tuple[int, int]) -> date:
    """Return this month and day of a year; 29 February falls on the 28th in short years."""
    month, number = day
    return date(year, month, min(number, calendar.monthrange(year, month)[1]))


def into_window(at: datetime, window: Window, zone: ZoneInfo) -> datetime:
    """Return the time itself if it is in its local day's window, else the next opening, as UTC."""
    if _is_open(at, window, zone):
        return at.astimezone(UTC)
    day = at.astimezone(zone).date()
    moments = (moment for number in range(4) for moment in _moments(day + number * DAY, window.opens, zone))
    return min(moment for moment in moments if moment > at and _is_open(moment, window, zone))


def _is_open(at: datetime, window: Window, zone: ZoneInfo) -> bool:
    # Through UTC, so that a skipped local time becomes the one that exists.
    return window.opens <= at.astimezone(UTC).astimezone(zone).time() < window.closes


def _moments(day: date, opens: time, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the times at which a window may open on a day: its hour, both times if repeated, and a clock change."""
    for fold in (0, 1):
        yield datetime.combine(day, opens.replace(fold=fold), zone).astimezone(UTC)
    changed = _change(day, zone)
    if changed is not None:
        yield changed


def _change(day: date, zone: ZoneInfo) -> datetime | None:
    """Return when the clocks change within a day, to the second; None if they do not."""
    before, after = (datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, day + DAY))
    offset = before.astimezone(zone).utcoffset()
    if after.astimezone(zone).utcoffset() == offset:
        return None
    while after - before > SECOND:
        middle = before + (after - before) // (2 * SECOND) * SECOND
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == offset else (before, middle)
    return after
