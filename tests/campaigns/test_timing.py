"""Days and windows on the reader's clock: each rule against a scan of the minutes, over changes of clocks."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_app.campaigns.model import Mode, Step, Window
from funnel_app.campaigns.registry import load_registry
from funnel_app.campaigns.timing import NEVER, deadline_of, due_at, into_window

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# Each with a day near which its clocks change: by an hour, by half of one, by a whole day, at midnight.
CHANGES = {
    "America/Toronto": ("2026-03-08", "2026-11-01"),
    "America/St_Johns": ("2026-03-08", "2011-11-06"),
    "America/Los_Angeles": ("2026-03-08", "2026-11-01"),
    "America/Sao_Paulo": ("2018-11-04", "2019-02-17"),
    "America/Havana": ("2026-03-08", "2026-11-01"),
    "Europe/London": ("2026-03-29", "2026-10-25"),
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "Europe/Dublin": ("2026-03-29", "2026-10-25"),
    "Africa/Casablanca": ("2026-02-15", "2026-03-22"),
    "Asia/Beirut": ("2026-03-29", "2026-10-25"),
    "Asia/Kolkata": ("2026-03-29", "2026-10-25"),
    "Australia/Sydney": ("2026-04-05", "2026-10-04"),
    "Australia/Lord_Howe": ("2026-04-05", "2026-10-04"),
    "Pacific/Apia": ("2011-12-30", "2011-04-02"),
    "Pacific/Chatham": ("2026-04-05", "2026-09-27"),
}
MINUTES = st.integers(min_value=0, max_value=24 * 60 - 1)


@st.composite
def near_a_change(draw):
    """A zone, and a whole minute within two days of a change of its clocks."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    day = datetime.fromisoformat(draw(st.sampled_from(CHANGES[zone]))).replace(tzinfo=UTC)
    return ZoneInfo(zone), day + draw(st.integers(min_value=-2 * 24 * 60, max_value=2 * 24 * 60)) * MINUTE


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)


def first_open_minute(at: datetime, window: Window, zone: ZoneInfo) -> datetime:
    while not window.opens <= wall(at, zone).time() < window.closes:
        at += MINUTE
    return at


@given(near_a_change(), MINUTES, MINUTES)
def test_a_window_opens_at_the_first_open_minute_whatever_the_clocks_do(moment, one, other):
    zone, at = moment
    # No opening is shorter than the longest jump but a day, so that there is one each day.
    opens = min(one, other, 22 * 60)
    closes = max(one, other, opens + 61)
    window = Window(time(*divmod(opens, 60)), time(*divmod(closes, 60)))
    assert into_window(at, window, zone) == first_open_minute(at, window, zone)


def first_at_that_time(anchor: datetime, days: int, zone: ZoneInfo) -> datetime | None:
    """Return the first minute with the anchor's time of day on that day; None where the clocks skip it."""
    wanted = wall(anchor, zone) + days * DAY
    start = anchor + days * DAY - 26 * 60 * MINUTE
    return next((start + n * MINUTE for n in range(52 * 60) if wall(start + n * MINUTE, zone) == wanted), None)


@given(near_a_change(), st.integers(min_value=-7, max_value=7).filter(bool))
def test_a_step_of_days_keeps_the_time_of_day_whatever_the_clocks_do(moment, days):
    zone, anchor = moment
    step = Step(1, "key", days * DAY, days, in_days=True)
    due = due_at(step, anchor, mode=Mode.LIVE, interval_seconds=60, zone=zone)
    expected = first_at_that_time(anchor, days, zone)
    if expected is not None:
        assert due == expected
    else:
        skipped = wall(due, zone) - (wall(anchor, zone) + days * DAY)
        assert timedelta(0) < skipped <= DAY


@given(near_a_change(), st.integers(min_value=0, max_value=7))
def test_a_step_of_hours_and_the_step_of_no_days_are_exact(moment, days):
    zone, anchor = moment
    for step, delay in [(Step(1, "key", days * DAY, days), days * DAY), (Step(1, "key", 0 * DAY, 0, True), 0 * DAY)]:
        assert due_at(step, anchor, mode=Mode.LIVE, interval_seconds=60, zone=zone) == anchor + delay


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ((2026, 3, 7, 9, 0), (2026, 3, 8, 9, 0)),
        ((2026, 10, 31, 9, 0), (2026, 11, 1, 9, 0)),
        ((2026, 3, 7, 2, 30), (2026, 3, 8, 3, 30)),
    ],
)
def test_one_day_over_a_change_of_clocks_in_toronto(start, expected):
    zone = ZoneInfo("America/Toronto")
    step = Step(1, "key", DAY, 1, in_days=True)
    due = due_at(step, datetime(*start, tzinfo=zone), mode=Mode.LIVE, interval_seconds=60, zone=zone)
    assert due == datetime(*expected, tzinfo=zone)


def test_a_window_that_opens_within_the_skipped_hour_opens_when_the_clocks_have_changed():
    zone = ZoneInfo("America/Toronto")
    midnight = datetime(2026, 3, 8, tzinfo=zone)
    assert into_window(midnight, Window(time(2, 30), time(20)), zone) == datetime(2026, 3, 8, 3, 0, tzinfo=zone)
    assert into_window(midnight, Window(time(2, 30), time(2, 50)), zone) == datetime(2026, 3, 9, 2, 30, tzinfo=zone)


def test_a_campaign_without_a_deadline_has_none_ever():
    christmas, today = load_registry().campaign("christmas"), date(2026, 12, 6)
    assert deadline_of(replace(christmas, deadline=(12, 5)), today) == date(2027, 12, 5)
    assert deadline_of(replace(christmas, deadline=None), today) == NEVER
