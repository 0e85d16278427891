"""Dates, times, lists and sums in words, as seen from the day they are read."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

_NEAR = {-1: "yesterday", 0: "today", 1: "tomorrow"}
WEEK = timedelta(days=7)
# In minutes.
DAY, HOUR = 1440, 60


def moment(text: str, zone: ZoneInfo) -> datetime | None:
    """Return an ISO 8601 time in a zone; None for a date without time, and for any other text."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(zone) if at.tzinfo is not None else None


def day(text: str, zone: ZoneInfo) -> date | None:
    """Return the date of an ISO 8601 time or date in a zone; None for any other text."""
    at = moment(text, zone)
    if at is not None:
        return at.date()
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def month_day(each: date, today: date) -> str:
    """Return a date without its weekday: December 5, with the year unless it is the current one."""
    year = f", {each.year}" if each.year != today.year else ""
    return f"{each:%B} {each.day}{year}"


def weekday_date(each: date, today: date) -> str:
    """Return a day with its weekday: Tuesday, January 5, 2027."""
    return f"{each:%A}, {month_day(each, today)}"


def clock(at: datetime) -> str:
    """Return a local time with its zone: 3:00 PM EST."""
    return f"{at.hour % 12 or 12}:{at:%M %p %Z}"


def time_on_day(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a time in a zone: 19:42 if today, else with its date, as 24 November, 19:42."""
    there, today = at.astimezone(zone), now.astimezone(zone).date()
    return f"{there:%H:%M}" if there.date() == today else f"{there.day} {there:%B}, {there:%H:%M}"


def near_day(each: date, today: date) -> str:
    """Return a date relative to today: today, tomorrow, on Tuesday; with its date from a week on."""
    away = each - today
    if away.days in _NEAR:
        return _NEAR[away.days]
    return f"on {each:%A}" if -WEEK < away < WEEK else f"on {weekday_date(each, today)}"


def days(each: Sequence[date], today: date) -> str:
    """Return a list of dates in words: Friday, January 8 and Saturday, January 9, 2027."""
    if len(each) == 1:
        return weekday_date(each[0], today)
    same_year = len({one.year for one in each}) == 1
    told = [f"{one:%A}, {one:%B} {one.day}" if same_year else weekday_date(one, today) for one in each]
    if len(each) > 2:
        told = [one.replace(", ", " ", 1) for one in told]
    year = f", {each[0].year}" if same_year and each[0].year != today.year else ""
    return joined(told) + year


def joined(each: Sequence[str]) -> str:
    """Join texts: one; one and two; one, two and three."""
    return " and ".join([*filter(None, [", ".join(each[:-1])]), each[-1]]) if each else ""


def rounded(number: float) -> int:
    """Round to a whole number, halves away from zero."""
    return int(Decimal(str(number)).quantize(Decimal(1), ROUND_HALF_UP))


def as_title(name: str) -> str:
    """Return an identifier as a title: Lead nurture."""
    return name.replace("_", " ").capitalize()


def full_stop(words: str) -> str:
    """Return a clause with one full stop, or as it ends itself: with ?, ! or …; empty if it is empty."""
    ended = words.rstrip(".")
    return ended if not ended or ended.endswith(("?", "!", "…")) else f"{ended}."


def capital(words: str) -> str:
    """Return a text with its first letter capitalised and the others unchanged."""
    return f"{words[:1].upper()}{words[1:]}"


def sentence(words: str) -> str:
    """Return a clause as a sentence: capitalised, and ended as by `full_stop`."""
    return full_stop(capital(words))


def clause(words: str) -> str:
    """Return a text within a sentence: its first letter small and the others unchanged."""
    return f"{words[:1].lower()}{words[1:]}"


def things(number: int, one: str) -> str:
    """Return a number with its noun: 1 email, 2 emails."""
    return f"{number:,} {one}" + ("" if number == 1 else "s")


def lasting(span: timedelta) -> str:
    """Return a span in words: 2 days; 1 hour and 30 minutes. Within an hour of whole days it is rounded to them."""
    minutes = int(abs(span).total_seconds()) // 60
    whole = (minutes + HOUR) // DAY
    if whole and 0 < abs(minutes - whole * DAY) <= HOUR:
        return f"about {things(whole, 'day')}"
    parts = ((minutes // DAY, "day"), (minutes // HOUR % 24, "hour"), (minutes % HOUR, "minute"))
    return joined([things(number, unit) for number, unit in parts if number])
