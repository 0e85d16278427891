"""Followers: one word of a calendar about all attendees holds for each, also for one whose booking comes later."""

from dataclasses import replace
from datetime import timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.rules.calendar.bookings import BookingFacts
from funnel_app.rules.calendar.series import Series
from funnel_app.rules.calendar.whole import Whole, WholeWord, digest
from funnel_app.rules.calls.followers import is_shared, said_before, said_of_others, whole_word
from funnel_app.rules.facts import ContactFacts
from funnel_app.rules.ids import new_id
from tests.rules.calls.test_take import NOW, call

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LISTED = frozenset({digest("ana@resend.dev"), digest("ben@resend.dev")})
OFF, MOVED = Whole(of=LISTED), Whole(of=LISTED, to="e2", call_at=NOW + 3 * DAY)


def said(whole, event=Event.BOOKING_CANCELLED, **more):
    return call(event, occurrence="e1", whole=whole, happened_at=NOW, source="calcom", **more)


def person(name, occurrence="e1"):
    who, address = new_id(), f"{name}@resend.dev"
    seat = BookingFacts(contact_id=who, campaign="christmas", occurrence=occurrence, mode="live")
    return ContactFacts(id=who, email=address, email_norm=address, created_at=NOW, updated_at=NOW, bookings=(seat,))


def shown(calls):
    return [(each.email_norm, each.event, each.occurrence, each.happened_at, each.call_at) for each in calls]


def test_a_cancellation_is_one_for_every_other_attendee_who_had_a_seat():
    people = [person("ana"), person("ben"), person("cy"), person("eve", "e9")]
    found = said_of_others(said(OFF, contact={"first_name": "Ana"}, idempotency_key="k"), people, NOW + DAY)
    off = (Event.BOOKING_CANCELLED, "e1", NOW, None)
    assert shown(found) == [("ben@resend.dev", *off), ("cy@resend.dev", *off)], "also one who was not listed"
    assert found[0].payload == {"told_with": "e1"} and (found[0].contact, found[0].whole) == ({}, None)
    assert found[0].idempotency_key is None


def test_an_event_that_was_moved_to_another_gives_those_who_are_listed_their_new_time():
    found = said_of_others(said(MOVED, Event.BOOKING_RESCHEDULED), [person("ben"), person("cy")], NOW)
    assert shown(found) == [
        ("ben@resend.dev", Event.BOOKING_RESCHEDULED, "e1", NOW, None),
        ("ben@resend.dev", Event.BOOKING, "e2", NOW, NOW + 3 * DAY),
    ]
    assert found[1].variables == dict.fromkeys(("call_time", "scheduled_time"), (NOW + 3 * DAY).isoformat())


def test_a_word_about_one_person_is_about_nobody_else():
    alone = call(Event.BOOKING, occurrence="e1")
    assert said_of_others(alone, [person("ben")], NOW) == [] and not is_shared(alone) and is_shared(said(OFF))
    with pytest.raises(ValueError, match="one person"):
        whole_word(alone, NOW)


@pytest.mark.parametrize(
    ("whole", "booked_at", "found"),
    [
        (OFF, NOW - HOUR, [Event.BOOKING_CANCELLED]),
        (OFF, NOW, [Event.BOOKING_CANCELLED]),
        (OFF, NOW + HOUR, []),
        (OFF, None, [Event.BOOKING_CANCELLED]),
        (MOVED, NOW - HOUR, [Event.BOOKING_CANCELLED, Event.BOOKING]),
        (MOVED, NOW, []),
    ],
)
def test_a_booking_that_comes_late_hears_what_was_said_after_it(whole, booked_at, found):
    word = whole_word(said(whole), NOW)
    assert word == WholeWord(event=Event.BOOKING_CANCELLED, at=NOW, whole=whole)
    late = call(Event.BOOKING, occurrence="e1", happened_at=booked_at)
    before = list(said_before(late, {("christmas", "e1"): (word,)}))
    assert [each.event for each in before] == found
    assert all(each.payload == {"told_with": "e1"} for each in before)
    assert list(said_before(call(Event.NO_SHOW, occurrence="e1"), {("christmas", "e1"): (word,)})) == []


def test_what_a_word_about_all_makes_for_another_is_a_call_of_theirs_and_nothing_of_the_callers_own():
    own = {"contact": {"first_name": "Ana"}, "left_out": {"name": ["x"]}, "idempotency_key": "k", "place": "chair"}
    word = said(
        MOVED, Event.BOOKING_RESCHEDULED, variables={"city": "Oslo"}, call_at=NOW, ends_series=Series(id="s"), **own
    )
    theirs = {
        "email": "ben@resend.dev", "email_norm": "ben@resend.dev", "payload": {"told_with": "e1"}, "contact": {},
        "left_out": {}, "idempotency_key": None, "whole": None, "ends_series": None, "place": "",
    }  # fmt: skip
    off, new = said_of_others(word, [person("ben")], NOW)
    assert off == replace(word, call_at=None, variables={}, **theirs)
    later = NOW + 3 * DAY
    told = {"city": "Oslo", "call_time": later.isoformat(), "scheduled_time": later.isoformat()}
    booked = {"event": Event.BOOKING, "occurrence": "e2", "call_at": later, "variables": told}
    assert new == replace(word, happened_at=NOW, **booked, **theirs)


def test_a_word_without_a_time_is_of_now_and_a_move_chain_is_followed():
    untold = replace(said(OFF), happened_at=None)
    assert [each.happened_at for each in said_of_others(untold, [person("ben")], NOW + DAY)] == [NOW + DAY]
    moved = whole_word(said(MOVED), NOW)
    then = whole_word(said(replace(MOVED, to="e3", call_at=NOW + 4 * DAY)), NOW + HOUR)
    late = call(Event.BOOKING, occurrence="e1", happened_at=NOW - HOUR)
    words = {("christmas", "e1"): (moved,), ("christmas", "e2"): (replace(then, at=NOW + HOUR),)}
    found = [(each.event, each.occurrence) for each in said_before(late, words)]
    off, on = Event.BOOKING_CANCELLED, Event.BOOKING
    assert found == [(off, "e1"), (off, "e2"), (on, "e3"), (on, "e2")]


@pytest.mark.parametrize(
    ("made", "shared"),
    [
        (call(Event.BOOKING, occurrence="e1", source="calcom"), True),
        (call(Event.BOOKING, source="calcom"), False),
        (call(Event.NO_SHOW, occurrence="e1", source="calcom"), False),
        (call(Event.NO_SHOW, occurrence="e1", whole=OFF), True),
    ],
)
def test_an_event_of_a_calendar_may_have_other_attendees(made, shared):
    assert is_shared(made) is shared
