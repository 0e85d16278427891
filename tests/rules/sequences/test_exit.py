"""Exit: which event ends a sequence or blocks its start, whichever of the two arrives first."""

from datetime import timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.rules.calendar.bookings import BookingFacts
from funnel_app.rules.facts import ContactFacts
from funnel_app.rules.ids import new_id
from funnel_app.rules.sequences.exit import Happening, by_calls, touches
from tests.rules.calls.test_take import NOW, REGISTRY

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SEQUENCES = REGISTRY.campaign("christmas").sequences
MISSED = Happening(event=Event.NO_SHOW, occurrence="e1", at=NOW, call_at=NOW - HOUR)


@pytest.mark.parametrize(
    ("event", "occurrence", "after", "call_after", "ends"),
    [
        (Event.ONBOARDING, "", -DAY, None, True),
        (Event.ASSESSMENT, "", DAY, None, False),
        (Event.BOOKING, "e1", DAY, None, False),
        (Event.NO_SHOW_UNDONE, "e1", HOUR, None, True),
        (Event.NO_SHOW_UNDONE, "e1", timedelta(0), None, True),
        (Event.NO_SHOW_UNDONE, "e1", -HOUR, None, False),
        (Event.NO_SHOW_UNDONE, "e2", HOUR, None, False),
        (Event.MAYBE, "e2", HOUR, None, True),
        (Event.MAYBE, "e2", HOUR, -HOUR, True),
        (Event.MAYBE, "e2", HOUR, -2 * HOUR, False),
    ],
)
def test_a_missed_call_is_settled_by_what_came_after_it_or_by_becoming_a_client(
    event, occurrence, after, call_after, ends
):
    call_at = None if call_after is None else NOW + call_after
    happening = Happening(event=event, occurrence=occurrence, at=NOW + after, call_at=call_at)
    assert touches(happening, SEQUENCES["noshow_recovery"], MISSED) is ends


def test_where_the_start_of_the_missed_call_is_unknown_a_decision_counts_from_its_report():
    unknown = Happening(event=Event.NO_SHOW, occurrence="e1", at=NOW)
    for call_at, ends in ((NOW, True), (NOW - HOUR, False)):
        decision = Happening(event=Event.MAYBE, occurrence="e2", at=NOW + DAY, call_at=call_at)
        assert touches(decision, SEQUENCES["noshow_recovery"], unknown) is ends


def test_a_sequence_about_no_booking_ends_by_its_events_whenever_they_happened():
    opted_in = Happening(event=Event.OPT_IN, at=NOW)
    for event, ends in ((Event.ASSESSMENT, True), (Event.BOOKING, True), (Event.MAYBE, False)):
        assert touches(Happening(event=event, at=NOW - DAY), SEQUENCES["lead_nurture"], opted_in) is ends


def person(*bookings):
    return ContactFacts(email="a@b.test", email_norm="a@b.test", created_at=NOW, updated_at=NOW, bookings=bookings)


def seat(occurrence, call_at, at=NOW - DAY):
    facts = BookingFacts(contact_id=new_id(), campaign="christmas", occurrence=occurrence, mode="live", call_at=call_at)
    return facts.heard(Event.BOOKING, "", at)


def test_a_later_booking_ends_what_a_missed_one_began_and_says_when_it_was_made():
    contact = person(seat("e1", NOW - HOUR), seat("e0", NOW - 2 * HOUR), seat("e2", NOW + DAY, NOW + HOUR))
    found = by_calls(SEQUENCES["noshow_recovery"], MISSED, contact)
    assert (found.event, found.occurrence, found.at) == (Event.BOOKING, "e2", NOW + HOUR)
    assert by_calls(SEQUENCES["noshow_recovery"], MISSED, person(*contact.bookings[:2])) is None


def test_reminders_end_with_their_own_booking_alone_and_say_how_it_was_given_up():
    start = Happening(event=Event.BOOKING, occurrence="e1", at=NOW - DAY, call_at=NOW + DAY)
    off = seat("e1", NOW + DAY).heard(Event.BOOKING_CANCELLED, "", NOW + HOUR)
    found = by_calls(SEQUENCES["precall_prep"], start, person(off))
    assert (found.event, found.occurrence, found.at) == (Event.BOOKING_CANCELLED, "e1", NOW + HOUR)
    later = person(seat("e1", NOW + DAY), seat("e2", NOW + 2 * DAY))
    assert by_calls(SEQUENCES["precall_prep"], start, later) is None
