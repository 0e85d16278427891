"""Until: parse a time as people type it, in the business's time zone."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from funnel_app.flows.console.intervene import NotPossible

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SPOKEN = re.compile(r"(?:(today|tomorrow|[a-z]+day) )?(?:at )?(\d{1,2})(?::(\d{2}))? ?(am|pm)?")
FARTHEST = timedelta(days=366)
FORMS = "write 17:00, tomorrow 09:00, Monday 09:00 or 2026-11-30 09:00, or leave it empty"


def read_until(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the next time that a text names; None if it is empty. Raises NotPossible if invalid or past."""
    words = " ".join(text.lower().split())
    if not words:
        return None
    at = _spoken(words, now, zone) or _written(words, zone)
    if at is None:
        raise NotPossible(f"“{text.strip()}” is no time: {FORMS}.")
    if not now < at <= now + FARTHEST:
        raise NotPossible(f"“{text.strip()}” is {'over' if at <= now else 'more than a year away'}: {FORMS}.")
    return at


def _spoken(words: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    found = SPOKEN.fullmatch(words)
    # A bare number is ambiguous; with a day, minutes or am/pm it is an hour.
    clock = _clock(found) if found and any(found.group(1, 3, 4)) else None
    if found is None or clock is None:
        return None
    named, today = found[1] or "today", now.astimezone(zone).date()
    if named in WEEKDAYS:
        # "Monday" is the next one, also late on a Monday.
        ahead = (WEEKDAYS.index(named) - today.weekday()) % 7
        days = [ahead, ahead + 7]
    elif named in {"today", "tomorrow"}:
        days = [int(named == "tomorrow")]
    else:
        return None
    times = [datetime.combine(today + timedelta(days=each), clock, zone).astimezone(now.tzinfo) for each in days]
    return next((at for at in times if at > now), times[-1])


def _clock(found: re.Match[str]) -> time | None:
    hour, minute, half = int(found[2]), int(found[3] or 0), found[4]
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + 12 * (half == "pm") if half else hour
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _written(words: str, zone: ZoneInfo) -> datetime | None:
    try:
        at = datetime.fromisoformat(words.upper())
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=zone)
