"""When a step is due, in live and in testing mode."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Mode, Step, Window


def due_at(step: Step, anchor: datetime, *, mode: Mode, interval_seconds: int) -> datetime:
    """Return when a step is due: aware UTC, whole seconds, rounded up so that nothing comes early.

    In testing mode a step's delay is a whole number of intervals. Raises ValueError for an anchor without a zone.
    """
    if anchor.tzinfo is None:
        raise ValueError(f"The anchor {anchor} has no time zone.")
    test_delay = timedelta(seconds=step.test_intervals * interval_seconds)
    due = anchor.astimezone(UTC) + (test_delay if mode is Mode.TEST else step.delay)
    return due if due.microsecond == 0 else due.replace(microsecond=0) + timedelta(seconds=1)


def deadline_after(deadline: tuple[int, int], today: date) -> date:
    """Return the next day with this month and day, today included; 29 February falls on the 28th in short years."""
    this_year = _day(today.year, *deadline)
    return this_year if this_year >= today else _day(today.year + 1, *deadline)


def _day(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def into_window(at: datetime, window: Window, zone: ZoneInfo) -> datetime:
    """Return the time itself if it lies in the window of its local day, else the next opening, as UTC."""
    local = at.astimezone(zone)
    if window.opens <= local.time().replace(tzinfo=None) < window.closes:
        return at.astimezone(UTC)
    day = local.date() if local.time().replace(tzinfo=None) < window.opens else local.date() + timedelta(days=1)
    return _opening(day, window.opens, zone)


def _opening(day: date, opens: time, zone: ZoneInfo) -> datetime:
    # Through UTC and back: a wall time that a change of clocks skips becomes one that exists.
    return datetime.combine(day, opens, zone).astimezone(UTC)
