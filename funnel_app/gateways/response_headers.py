"""Headers: waiting times and rates in providers' responses."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_WINDOW = re.compile(r";\s*w=(\d+)")
_NUMBER = re.compile(r"\s*(\d+(?:\.\d+)?)")


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds of a retry-after header, a number or a date; None if missing."""
    value = _lower(headers).get("retry-after", "").strip()
    if not value:
        return None
    seconds = _number(value)
    return seconds if seconds is not None else _until_date(value, now)


def rate_limit(headers: Mapping[str, str]) -> float | None:
    """Return the requests per second that ratelimit-limit allows over the window of its policy; None if unsaid."""
    known = _lower(headers)
    limit = _number(known.get("ratelimit-limit", ""))
    if not limit:
        return None
    window = _WINDOW.search(known.get("ratelimit-policy", "") or known["ratelimit-limit"])
    return limit / max(int(window.group(1)), 1) if window else limit


def seconds_to_next_day(now: datetime) -> float:
    """Return the seconds until midnight UTC."""
    today = _midnight(now)
    return (today + timedelta(days=1) - now).total_seconds()


def seconds_to_next_month(now: datetime) -> float:
    """Return the seconds until the first of the next month, midnight UTC."""
    first = _midnight(now).replace(day=1)
    return ((first + timedelta(days=32)).replace(day=1) - now).total_seconds()


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _number(value: str) -> float | None:
    found = _NUMBER.match(value)
    return float(found.group(1)) if found else None


def _until_date(value: str, now: datetime) -> float | None:
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(math.ceil((_aware(date) - now).total_seconds()), 0)


def _aware(date: datetime) -> datetime:
    return date if date.tzinfo else date.replace(tzinfo=UTC)
