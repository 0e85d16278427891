"""Bookings: the latest message about each seat counts, in whatever order messages come."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.rules.calendar.bookings import BookingFacts, BookingState
from funnel_app.rules.calendar.places import ANY_PLACE, Place
from funnel_app.rules.calendar.whole import Whole, digest
from funnel_app.rules.ids import new_id
from tests.rules.calls.test_take import NOW

WHO = new_id()
HOUR = timedelta(hours=1)
LATER = NOW + HOUR
BOOKED, OFF, MOVED = Event.BOOKING, Event.BOOKING_CANCELLED, Event.BOOKING_RESCHEDULED


def booking(**more) -> BookingFacts:
    return BookingFacts(contact_id=WHO, campaign="christmas", occurrence="e1", mode="live", **more)


@pytest.mark.parametrize(
    ("said", "stands", "by"),
    [
        ([(BOOKED, NOW)], True, None),
        ([(BOOKED, None)], True, None),
        ([(BOOKED, NOW), (OFF, LATER)], False, OFF),
        ([(BOOKED, LATER), (OFF, NOW)], True, OFF),
        ([(BOOKED, NOW), (OFF, NOW)], False, OFF),
        ([(BOOKED, NOW), (OFF, NOW), (MOVED, LATER)], False, MOVED),
        ([(OFF, NOW)], False, OFF),
    ],
)
def test_the_latest_message_about_a_seat_counts_in_any_order(said, stands, by):
    for order in permutations(said):
        place = Place()
        for event, at in (*order, *order):
            place = place.heard(event, at)
        assert (place.stands, place.given_up_by) == (stands, by)
        assert place.booked is any(event is BOOKED for event, _ in said)
        assert Place.from_json(place.as_json()) == place


def test_a_message_without_a_seat_is_about_every_seat():
    both = booking().heard(BOOKED, "one", NOW).heard(BOOKED, "two", NOW)
    assert both.stands and both.state is BookingState.BOOKED
    off = both.heard(OFF, ANY_PLACE, LATER)
    assert (off.stands, off.given_up, off.state) == (False, (LATER, OFF), BookingState.CANCELLED)
    assert both.heard(OFF, "one", LATER).stands, "the other seat is still taken"
    assert both.heard(OFF, "one", LATER).heard(MOVED, "two", LATER + HOUR).state is BookingState.MOVED


def test_a_newer_message_sets_the_time_and_an_older_one_changes_nothing():
    first = booking().timed(NOW + 24 * HOUR, NOW)
    assert (first.call_at, first.told_at) == (NOW + 24 * HOUR, NOW)
    moved = first.timed(NOW + 30 * HOUR, LATER)
    assert (moved.call_at, moved.told_at) == (NOW + 30 * HOUR, LATER)
    assert moved.timed(NOW + 24 * HOUR, NOW) == moved


@pytest.mark.parametrize(
    ("call_at", "off_at", "counts"),
    [
        (LATER, None, True),
        (LATER, NOW + HOUR / 2, True),
        (LATER, NOW - HOUR, False),
        (NOW, None, False),
        (None, None, False),
    ],
)
def test_a_later_booking_counts_if_it_stood_after_the_missed_one_was_reported(call_at, off_at, counts):
    later = booking(call_at=call_at).heard(BOOKED, "seat", NOW - 2 * HOUR)
    later = later.heard(OFF, "seat", off_at) if off_at else later
    assert later.counts_after(NOW, NOW) is counts


@pytest.mark.parametrize("call_at", [None, datetime(2026, 12, 1, tzinfo=UTC)])
def test_a_message_about_all_is_stored_whole(call_at):
    whole = Whole(of=frozenset({digest("ana@example.com"), digest("bo@example.com")}), to="e2", call_at=call_at)
    assert Whole.from_json(whole.as_json()) == whole
