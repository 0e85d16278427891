"""Cal.com's recurring bookings: what its events say of a series.

An event names its series by an id if Google's calendar made one. "Cancel all remaining" is one event of one booking,
the only cancellation with `recurringEvent`; some versions list `cancelledDates`. https://github.com/calcom/cal.com
(packages/features/bookings/lib/handleCancelBooking.ts)
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from funnel_app.rules.calendar.series import Series

# Days between bookings by rrule's weekly and daily frequencies (RFC 5545, section 3.3.10); months vary.
DAYS = {2: 7, 3: 1, "WEEKLY": 7, "DAILY": 1}
LONGEST_ID = 255
MOST_DATES = 200


def series_of(booking: Mapping[str, Any]) -> Series | None:
    """Return the series of a booking; None if the event names none."""
    recurring, known_id = booking.get("recurring"), _id_of(booking)
    if not known_id and not isinstance(recurring, dict):
        return None
    kind = booking.get("kind_id") or booking.get("kind")
    every = _every_days(recurring) if isinstance(recurring, dict) else 0
    return Series(id=known_id, kind=_text(kind), every_days=every)


def ended_series_of(booking: Mapping[str, Any]) -> Series | None:
    """Return the series that a cancellation ends; None if it means one booking."""
    dates, series = tuple(_dates(booking.get("cancelled_dates"))), series_of(booking)
    if dates:
        kind = _text(booking.get("kind_id") or booking.get("kind"))
        return Series(id=_id_of(booking), kind=kind, dates=dates)
    return series if isinstance(booking.get("recurring"), dict) else None


def _id_of(booking: Mapping[str, Any]) -> str:
    at_google = booking.get("recurring_at_google")
    given = at_google.get("recurringEventId") if isinstance(at_google, dict) else None
    return _text(booking.get("recurring_id") or given)


def _text(value: object) -> str:
    return str(value)[:LONGEST_ID] if isinstance(value, str | int) and value else ""


def _every_days(recurring: Mapping[str, Any]) -> int:
    freq, interval = recurring.get("freq"), recurring.get("interval")
    steps = interval if isinstance(interval, int) and 0 < interval < 1000 else 1
    return DAYS.get(freq.upper() if isinstance(freq, str) else freq, 0) * steps if isinstance(freq, str | int) else 0


def _dates(given: object) -> Iterator[datetime]:
    for value in given[:MOST_DATES] if isinstance(given, list) else ():
        with suppress(ValueError, TypeError):
            at = datetime.fromisoformat(value)
            if at.tzinfo is not None:
                yield at.astimezone(UTC)
