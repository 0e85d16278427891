"""Days, times, spans and lists, as people say them on the day of reading."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from funnel_app.campaigns.spoken import (
    as_title,
    clock,
    day,
    days,
    full_stop,
    joined,
    lasting,
    moment,
    month_day,
    near_day,
    rounded,
    things,
    time_on_day,
    weekday_date,
)

TORONTO = ZoneInfo("America/Toronto")
TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 17, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "at", "on"),
    [
        ("2026-12-02T03:00:00Z", datetime(2026, 12, 1, 22, tzinfo=TORONTO), date(2026, 12, 1)),
        ("2026-12-02T03:00:00", None, date(2026, 12, 2)),
        ("2026-12-02", None, date(2026, 12, 2)),
        ("soon", None, None),
    ],
)
def test_a_text_is_a_time_or_a_day_or_neither(text, at, on):
    assert (moment(text, TORONTO), day(text, TORONTO)) == (at, on)


@pytest.mark.parametrize(
    ("away", "told"),
    [
        (-7, "on Tuesday, November 17"),
        (-6, "on Wednesday"),
        (-1, "yesterday"),
        (0, "today"),
        (1, "tomorrow"),
        (6, "on Monday"),
        (7, "on Tuesday, December 1"),
        (60, "on Saturday, January 23, 2027"),
    ],
)
def test_a_near_day_is_told_without_its_date(away, told):
    assert near_day(TODAY + away * DAY, TODAY) == told


def test_a_date_has_its_year_only_in_another_one():
    assert (month_day(TODAY, TODAY), month_day(TODAY, date(2027, 1, 1))) == ("November 24", "November 24, 2026")
    assert weekday_date(date(2027, 1, 5), TODAY) == "Tuesday, January 5, 2027"


@pytest.mark.parametrize(("hour", "told"), [(0, "12:05 AM EST"), (12, "12:05 PM EST"), (15, "3:05 PM EST")])
def test_a_clock_has_twelve_hours(hour, told):
    assert clock(datetime(2026, 12, 1, hour, 5, tzinfo=TORONTO)) == told


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (datetime(2026, 11, 24, 6, 5, tzinfo=UTC), "01:05"),
        (datetime(2026, 11, 25, 4, 59, tzinfo=UTC), "23:59"),
        (datetime(2026, 11, 24, 4, 59, tzinfo=UTC), "23 November, 23:59"),
        (datetime(2026, 12, 3, 20, tzinfo=UTC), "3 December, 15:00"),
    ],
)
def test_a_time_of_another_day_has_its_date(at, told):
    assert time_on_day(at, NOON, TORONTO) == told


@pytest.mark.parametrize(
    ("span", "told"),
    [
        (timedelta(0), ""),
        (MINUTE, "1 minute"),
        (90 * MINUTE, "1 hour and 30 minutes"),
        (22 * HOUR + 59 * MINUTE, "22 hours and 59 minutes"),
        (23 * HOUR, "about 1 day"),
        (DAY, "1 day"),
        (-2 * DAY, "2 days"),
        (2 * DAY + HOUR, "about 2 days"),
        (2 * DAY - HOUR, "about 2 days"),
        (DAY + 2 * HOUR + 3 * MINUTE, "1 day, 2 hours and 3 minutes"),
    ],
)
def test_a_span_is_told_in_its_units(span, told):
    assert lasting(span) == told


@pytest.mark.parametrize(
    ("each", "told"),
    [
        ([TODAY], "Tuesday, November 24"),
        ([TODAY, TODAY + DAY], "Tuesday, November 24 and Wednesday, November 25"),
        ([TODAY + n * DAY for n in range(3)], "Tuesday November 24, Wednesday November 25 and Thursday November 26"),
        ([date(2027, 1, 8), date(2027, 1, 9)], "Friday, January 8 and Saturday, January 9, 2027"),
        ([TODAY, date(2027, 1, 8)], "Tuesday, November 24 and Friday, January 8, 2027"),
    ],
)
def test_days_in_a_list_share_their_year(each, told):
    assert days(each, TODAY) == told


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (joined([]), ""),
        (joined(["a"]), "a"),
        (joined(["a", "b"]), "a and b"),
        (joined(["a", "b", "c"]), "a, b and c"),
        (things(0, "email"), "0 emails"),
        (things(1, "email"), "1 email"),
        (things(1200, "email"), "1,200 emails"),
        (full_stop(""), ""),
        (full_stop("it goes"), "it goes."),
        (full_stop("it goes."), "it goes."),
        (full_stop("is Redis away?"), "is Redis away?"),
        (full_stop("is Redis away?."), "is Redis away?"),
        (full_stop("It went!"), "It went!"),
        (full_stop("and so on …"), "and so on …"),
        (as_title("lead_nurture"), "Lead nurture"),
        (str(rounded(0.5)), "1"),
        (str(rounded(-2.5)), "-3"),
        (str(rounded(1.4999)), "1"),
    ],
)
def test_lists_numbers_and_keys_in_words(told, words):
    assert told == words
