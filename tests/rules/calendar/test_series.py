"""Series: which bookings a calendar's word about a series ends, in whatever order words come."""

from datetime import UTC, datetime, timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.rules.calendar.bookings import BookingFacts, BookingState
from funnel_app.rules.calendar.series import Series
from funnel_app.rules.calls.booking_updates import updated
from funnel_app.rules.ids import new_id
from tests.rules.calls.test_take import NOW, call

DAY, WHO = timedelta(days=1), new_id()
WEEKLY = Series(id="s", kind="chat", every_days=7)
FIRST = datetime(2026, 12, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Series(id="s"), Series(id="s"), True),
        (Series(id="s", kind="chat"), Series(id="t", kind="chat"), False),
        (Series(id="s", kind="chat"), Series(kind="chat"), True),
        (Series(kind="chat"), Series(kind="talk"), False),
        (Series(), Series(), False),
    ],
)
def test_a_series_is_known_by_its_id_or_else_by_its_event_type(one, other, same):
    assert one.is_the(other) is other.is_the(one) is same


@pytest.mark.parametrize(
    ("series", "later", "belongs"),
    [
        (Series(kind="chat", every_days=7), 14 * DAY, True),
        (Series(kind="chat", every_days=7), 14 * DAY - timedelta(hours=1), True),
        (Series(kind="chat", every_days=7), 14 * DAY + timedelta(hours=2), False),
        (Series(kind="chat", every_days=7), 10 * DAY, False),
        (Series(kind="chat"), 10 * DAY, True),
        (WEEKLY, 10 * DAY, True),
    ],
)
def test_without_an_id_its_bookings_lie_whole_intervals_apart_but_for_a_change_of_clocks(series, later, belongs):
    assert series.includes(series, FIRST + later, FIRST) is belongs


def test_it_is_stored_whole():
    whole = Series(id="s", kind="chat", every_days=7, dates=(FIRST, FIRST + 7 * DAY))
    assert Series.from_json(whole.as_json()) == whole and Series.from_json(None) is None
    # Rows of former releases have these names.
    assert set(whole.as_json()) == {"id", "kind", "every_days", "dates"}


def heard(*said, campaign="christmas"):
    """A person's bookings by their occurrence, after these calls, each at its own time."""
    bookings = ()
    for each in said:
        new = BookingFacts(contact_id=WHO, campaign=campaign, occurrence=each.occurrence, mode="live")
        bookings = updated(bookings, each, each.happened_at, new)
    return {booking.occurrence: booking for booking in bookings}


def booked(number, **more):
    at = FIRST + (number - 1) * 7 * DAY
    return call(Event.BOOKING, occurrence=f"b{number}", call_at=at, happened_at=NOW, **{"series": WEEKLY, **more})


def ended(number, series=WEEKLY, at=NOW + DAY):
    place = FIRST + (number - 1) * 7 * DAY
    return call(
        Event.BOOKING_CANCELLED,
        occurrence=f"b{number}",
        call_at=place,
        happened_at=at,
        ends_series=series,
        series=series,
    )


def test_a_series_that_ends_ends_all_its_bookings_to_come_and_no_others_in_any_order():
    words = [booked(1), booked(2), booked(3, series=Series(id="another")), booked(4, series=None)]
    for said in ([*words, ended(1)], [ended(1), *words]):
        found = heard(*said, ended(1))
        standing = [name for name in ("b1", "b2", "b3", "b4") if found[name].stands]
        assert standing == ["b3", "b4"]
        assert found["b2"].given_up == (NOW + DAY, Event.BOOKING_CANCELLED)
        assert [booking.state for booking in found.values()].count(BookingState.SERIES) == 1


def test_a_booking_that_took_place_before_its_series_ended_stays():
    assert heard(booked(1), booked(2), ended(2, at=FIRST + DAY))["b1"].stands


def test_a_word_about_some_dates_ends_those_and_no_others():
    some = Series(id="s", dates=(FIRST + 7 * DAY,))
    found = heard(booked(1), booked(2), booked(3), ended(1, some))
    assert [name for name in ("b1", "b2", "b3") if found[name].stands] == ["b1", "b3"]


def test_a_booking_of_another_campaign_is_left_alone():
    other = BookingFacts(contact_id=WHO, campaign="spring", occurrence="b1", mode="live").heard(Event.BOOKING, "", NOW)
    new = BookingFacts(contact_id=WHO, campaign="christmas", occurrence="b1", mode="live")
    kept, mine = updated((other,), ended(1), NOW + DAY, new)[:2]
    assert kept is other and not mine.stands
