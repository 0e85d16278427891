"""Telling: what each word of a calendar makes of a person's bookings, seat by seat and series by series."""

from dataclasses import replace
from datetime import timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.rules.calendar.bookings import BookingFacts, BookingState
from funnel_app.rules.calendar.places import Place
from funnel_app.rules.calendar.series import Series
from funnel_app.rules.calls.booking_updates import updated
from funnel_app.rules.ids import new_id
from tests.rules.calendar.test_series import FIRST, WEEKLY, booked, ended, heard
from tests.rules.calls.test_take import NOW, call

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = 7 * DAY
OFF = Event.BOOKING_CANCELLED
GONE = Place(given_up_at=NOW, given_up_by=OFF)
UNNAMED = Series(kind="chat", every_days=7)


def seat(**more):
    return BookingFacts(contact_id=new_id(), campaign="christmas", occurrence="b1", mode="live", **more)


@pytest.mark.parametrize("made", [call(Event.OPT_IN, occurrence="b1"), call(Event.BOOKING, occurrence="")])
def test_what_is_about_no_booking_changes_none(made):
    known = (seat(),)
    assert updated(known, made, NOW, seat()) is known


def test_a_booking_has_the_time_seat_and_moment_that_the_calendar_said():
    found = heard(booked(1, place="chair", series=None))["b1"]
    assert (found.call_at, found.told_at, found.booked_at, found.series) == (FIRST, NOW, NOW, None)
    assert list(found.places) == ["chair"] and found.state is BookingState.BOOKED
    off = heard(booked(1, place="chair"), replace(ended(1), place="chair", ends_series=None))["b1"]
    assert (list(off.places), off.given_up) == (["chair"], (NOW + DAY, OFF))


def test_a_booking_without_a_time_keeps_the_one_that_is_known():
    later = replace(booked(1), call_at=None, happened_at=NOW + HOUR)
    found = heard(booked(1), later)["b1"]
    assert (found.call_at, found.told_at, found.booked_at) == (FIRST, NOW, NOW + HOUR)
    untold = updated((), replace(booked(1), happened_at=None), NOW, seat())[0]
    assert (untold.told_at, untold.booked_at, untold.stands) == (NOW, None, True)


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [(None, UNNAMED, UNNAMED), (UNNAMED, WEEKLY, WEEKLY), (WEEKLY, UNNAMED, WEEKLY), (WEEKLY, None, WEEKLY)],
)
def test_a_booking_keeps_the_series_that_has_an_id(first, second, kept):
    found = heard(booked(1, series=first), booked(1, series=second))["b1"]
    assert Series.from_json(found.series) == kept


def test_the_end_of_a_series_is_kept_beside_its_bookings_once():
    found = heard(ended(1), ended(1, at=NOW + 2 * DAY))
    end = found["series:b1"]
    assert set(found) == {"b1", "series:b1"} and end.state is BookingState.SERIES
    assert (end.call_at, Series.from_json(end.series)) == (FIRST, WEEKLY)
    assert end.place("").given_up_at == NOW + 2 * DAY and end.id != found["b1"].id and end.id is not None
    assert not found["b1"].stands and not end.stands


@pytest.mark.parametrize(
    ("series", "number", "stands"),
    [
        (WEEKLY, 2, False),
        (UNNAMED, 2, False),
        (replace(UNNAMED, kind="talk"), 2, True),
        (replace(UNNAMED, every_days=7), 1.5, True),
        (None, 2, True),
    ],
)
def test_a_series_without_an_id_ends_what_lies_whole_intervals_after_it(series, number, stands):
    other = replace(booked(2, series=series), call_at=FIRST + (number - 1) * WEEK)
    for said in ([other, ended(1, UNNAMED)], [ended(1, UNNAMED), other]):
        assert heard(*said)["b2"].stands is stands


@pytest.mark.parametrize(("after", "stands"), [(-HOUR, True), (timedelta(0), False), (HOUR, False)])
def test_what_takes_place_from_the_end_on_is_ended(after, stands):
    assert heard(booked(2), ended(1, at=FIRST + WEEK - after))["b2"].stands is stands


def test_an_ended_series_is_no_word_about_a_seat_by_name_and_a_later_booking_of_it_stands():
    found = heard(booked(2, place="chair"), ended(1))["b2"]
    assert found.places[""]["given_up_by"] == OFF and found.places["chair"]["given_up_by"] is None
    again = heard(booked(2), ended(1), replace(booked(2), happened_at=NOW + 2 * DAY))["b2"]
    assert again.stands


def test_a_word_about_other_dates_leaves_the_booking_that_it_came_with():
    some = Series(id="s", dates=(FIRST + WEEK,))
    assert heard(booked(1), booked(2), ended(1, some))["b1"].stands
    assert not heard(booked(1), booked(2), ended(2, some))["b2"].stands
    alone = heard(booked(2, series=None), replace(ended(2, some), series=None))
    assert not alone["b2"].stands, "it is named, of whatever series it is"


def test_a_series_that_stands_ends_nothing():
    end = seat(state=BookingState.SERIES, series=WEEKLY.as_json(), call_at=FIRST).heard(Event.BOOKING, "", NOW)
    kept = updated((replace(end, occurrence="series:b9"),), booked(1), NOW, seat())
    assert {booking.occurrence: booking.stands for booking in kept}["b1"]


@pytest.mark.parametrize(
    ("seat", "all_seats", "after"),
    [
        (Place(booked=True, booked_at=NOW), Place(booked=True, booked_at=NOW + HOUR), (True, NOW + HOUR, None, None)),
        (GONE, Place(booked=True, booked_at=NOW + HOUR), (True, NOW + HOUR, NOW, OFF)),
        (Place(booked=True, booked_at=NOW), GONE, (False, NOW, NOW, OFF)),
        (Place(booked=True, booked_at=NOW), Place(), (True, NOW, None, None)),
    ],
)  # fmt: skip
def test_a_seat_hears_what_was_said_of_all_seats(seat, all_seats, after):
    both = seat.with_all_of(all_seats)
    assert (both.stands, both.booked_at, both.given_up_at, both.given_up_by) == after


def test_a_seat_given_up_at_the_very_moment_did_not_stand_after_it():
    off = Place(booked=True, booked_at=NOW - HOUR).heard(OFF, NOW)
    assert (off.stood_after(NOW - HOUR), off.stood_after(NOW)) == (True, False)
    assert Place().heard(OFF, None).given_up_at.year == 1


def test_two_times_told_at_once_are_settled_by_the_later_and_one_is_told_twice_without_a_change():
    first = seat().timed(NOW + DAY, NOW)
    assert first.timed(NOW + DAY, NOW) is first and first.timed(NOW, NOW) is first
    assert first.timed(NOW + 2 * DAY, NOW).call_at == NOW + 2 * DAY
