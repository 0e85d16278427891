"""Frequency: of one person's marketing only so much goes within a span, and one order says what goes first."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from funnel_app.campaigns.model import AtMost
from funnel_app.rules.emails.frequency import GivesWay, Wanting, Went, gives_way, in_words

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ONE, TWO = AtMost(1, 20 * HOUR), AtMost(2, 20 * HOUR)


def email(key="a", since=0.0, due=0.0, priority=0):
    """An email that wants to go since so many hours ago, and may in so many hours."""
    id_ = UUID(int=sum(map(ord, key)))
    return Wanting(id=id_, template_key=key, priority=priority, wanted_at=NOW - since * HOUR, due_at=NOW + due * HOUR)


def went(*ago):
    return [Went(f"sent {hours}", NOW - hours * HOUR) for hours in ago]


@pytest.mark.parametrize(
    ("limit", "gone", "until"),
    [
        (ONE, [], None),
        (ONE, [20], None),
        (ONE, [19], 1),
        (ONE, [0], 20),
        (TWO, [3], None),
        (TWO, [3, 5], 15),
        (TWO, [3, 5, 18], 15),
        (TWO, [3, 21], None),
        (ONE, [-0.5], 20.5),
        (ONE, [-9000], None),
    ],
)
def test_it_waits_until_so_many_went_longer_ago_than_the_span(limit, gone, until):
    waits = gives_way(email(), limit, went(*gone), [], NOW)
    assert (waits and (waits.until - NOW) / HOUR) == until
    assert waits is None or waits.is_full


def test_it_waits_for_whole_seconds_and_never_comes_early():
    at = NOW - HOUR + timedelta(microseconds=1)
    waits = gives_way(email(), ONE, [Went("x", at)], [], NOW)
    assert waits.until == NOW + 19 * HOUR + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("other", "first"),
    [
        (email("b", priority=1, due=19), True),
        (email("b", priority=1, due=21), False),
        (email("b", since=2, due=3), True),
        (email("b", since=0.5), False),
        (email("b", since=9, priority=-1), False),
    ],
)
def test_what_comes_first_in_the_one_order_and_goes_within_the_span_goes_first(other, first):
    waits = gives_way(email(since=1), ONE, [], [email(since=1), other], NOW)
    assert (waits is not None) == first
    if waits:
        assert waits == GivesWay(max(other.due_at, NOW) + timedelta(minutes=5), "b", is_full=False)


def test_two_per_span_leave_room_beside_one_that_goes_first():
    first, second = email("b", since=2), email("c", since=3)
    assert gives_way(email(since=1), TWO, [], [first], NOW) is None
    assert gives_way(email(since=1), TWO, [], [first, second], NOW) is not None
    assert gives_way(email(since=1), TWO, went(4), [first], NOW) is not None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(0, 25)), min_size=1, max_size=6))
def test_however_many_wait_the_first_of_them_is_never_kept_back_by_another(drawn):
    waiting = [email(chr(97 + n), since=since, due=0, priority=p) for n, (p, since, _) in enumerate(drawn)]
    free = [each for each in waiting if gives_way(each, ONE, [], waiting, NOW) is None]
    assert free == [min(waiting, key=lambda each: each.place)]


def test_the_reason_names_the_limit_and_what_goes_first():
    words = "no more than 1 marketing email in 20 hours: gives way to “Day 2: the offer”"
    assert in_words(ONE, "Day 2: the offer") == words
