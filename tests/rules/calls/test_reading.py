"""Reading: who is read for a call, what a list may say of a person, and what changed between two readings."""

from dataclasses import replace
from datetime import timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.rules.calendar.whole import Whole, WholeWord
from funnel_app.rules.calls.call import IMPORT
from funnel_app.rules.calls.changes import Change, enrolments_changed
from funnel_app.rules.calls.reading import Reading, wanted_for
from funnel_app.rules.facts import ContactFacts
from funnel_app.rules.people.contact import only_new, updated
from tests.rules.calls.test_take import NOW, REGISTRY, booked, call, played

HOUR = timedelta(hours=1)
ANA = ContactFacts(
    email="Ana@resend.dev",
    email_norm="ana@resend.dev",
    first_name="Ana",
    consent_at=NOW,
    properties={"utm_source": "ad", "score": 0},
    created_at=NOW,
    updated_at=NOW,
)
LISTED = {
    "first_name": "Anna",
    "name": "Ana Roy",
    "utm_source": "list",
    "score": 9,
    "city": "Oslo",
    "consent_ip": "::1",
}


@pytest.mark.parametrize(
    ("known", "taken"),
    [
        (ANA, {"name": "Ana Roy", "city": "Oslo"}),
        (replace(ANA, consent_at=None), {"name": "Ana Roy", "city": "Oslo", "consent_ip": "::1"}),
        (replace(ANA, consent_at=None, consent_text="Yes"), {"name": "Ana Roy", "city": "Oslo"}),
        (replace(ANA, first_name=None, properties={}), {k: v for k, v in LISTED.items() if k != "consent_ip"}),
    ],
)
def test_a_list_says_only_what_no_hook_has_said(known, taken):
    assert only_new(known, LISTED) == taken
    after = Reading({"ana@resend.dev": known}).contact_of(call(contact=LISTED, source=IMPORT), NOW + HOUR)
    assert (after.name, after.properties["city"], after.email) == ("Ana Roy", "Oslo", "Ana@resend.dev")
    assert (after.first_name, after.updated_at) == (known.first_name or "Anna", NOW + HOUR)


def test_a_hook_writes_the_address_as_it_is_written_now_and_a_new_person_is_of_now():
    known = Reading({"ana@resend.dev": ANA})
    assert known.contact_of(call(Event.MAYBE), NOW).email == "ana@resend.dev"
    new = Reading().contact_of(call(address="bo@resend.dev", source=IMPORT), NOW)
    assert (new.email, new.email_norm, new.created_at, new.updated_at) == ("bo@resend.dev", "bo@resend.dev", NOW, NOW)


@pytest.mark.parametrize(
    ("known", "said", "name"),
    [("Ana", {"guessed_first_name": "Anna"}, "Ana"), (None, {"guessed_first_name": "Anna"}, "Anna"),
     ("Ana", {"guessed_first_name": "Anna", "first_name": "Bo"}, "Bo"), ("Ana", {"first_name": None}, "Ana")],
)  # fmt: skip
def test_a_guess_fills_a_gap_and_no_more(known, said, name):
    after = updated(replace(ANA, first_name=known), "a@x.test", {**said, "gone": None}, NOW)
    assert (after.first_name, after.email, after.properties) == (name, "a@x.test", ANA.properties)


def test_what_is_read_for_a_signup_is_what_may_stand_in_its_way():
    made = call(contact={"consent_ip": "203.0.113.7"}, address="ana+1@resend.dev")
    wanted = wanted_for([made], REGISTRY, NOW)
    sequence = REGISTRY.campaign("christmas").sequences["lead_nurture"]
    assert (wanted.addresses, wanted.mailboxes) == ({"ana+1@resend.dev"}, {"ana@resend.dev"})
    assert (wanted.callers, wanted.campaigns) == ({"203.0.113.7"}, {"christmas"})
    assert wanted.events == sequence.exits | sequence.exits_elsewhere
    assert wanted.starts == {each.starts_on for each in REGISTRY.campaign("christmas").sequences.values()}
    assert (wanted.shared, wanted.of_all, wanted.about_calls, wanted.now) == (frozenset(), frozenset(), False, NOW)


def test_calendars_and_lists_are_not_counted_and_a_word_about_all_is_read_with_its_event():
    off = call(Event.BOOKING_CANCELLED, occurrence="e1", source="calcom", whole=Whole(of=frozenset()))
    wanted = wanted_for([off, call(source=IMPORT, contact={"consent_ip": "203.0.113.7"})], REGISTRY, NOW)
    assert (wanted.callers, wanted.mailboxes, wanted.about_calls) == (frozenset(), frozenset(), True)
    assert wanted.shared == wanted.of_all == {("christmas", "e1")}
    seat = booked(at=NOW, source="calcom")
    assert wanted_for([seat], REGISTRY, NOW).shared == {("christmas", "e2")}
    assert wanted_for([seat], REGISTRY, NOW).of_all == wanted_for([booked(at=NOW)], REGISTRY, NOW).shared == set()


@pytest.mark.parametrize(("event", "read"), [(Event.ASSESSMENT, "five_day"), (Event.MAYBE, "postcall_maybe")])
def test_each_start_reads_the_exits_of_its_own_sequence(event, read):
    sequence = REGISTRY.campaign("christmas").sequences[read]
    assert wanted_for([call(event)], REGISTRY, NOW).events == sequence.exits | sequence.exits_elsewhere


def test_what_starts_nothing_reads_its_own_kind():
    assert wanted_for([call(Event.NO_SHOW_UNDONE)], REGISTRY, NOW).events == {Event.NO_SHOW_UNDONE}


def test_a_word_about_all_stays_for_those_who_come_later_in_one_transaction():
    off = call(Event.BOOKING_CANCELLED, occurrence="e1", whole=Whole(of=frozenset()), happened_at=NOW)
    word = WholeWord(event=Event.BOOKING_CANCELLED, at=NOW, whole=off.whole)
    once = Reading().hearing(off, NOW + HOUR)
    assert once.whole == {("christmas", "e1"): (word,)}
    assert once.hearing(off, NOW).whole == {("christmas", "e1"): (word, word)}
    assert once.hearing(call(), NOW) is once


def test_only_what_differs_is_written_people_always_in_the_same_order():
    before, started = played(call(address="bo@resend.dev"))
    after, taken = played(call(), call(Event.ASSESSMENT, "bo@resend.dev"), found=before)
    changes = enrolments_changed(before, after)
    told = [(each.before and each.before.id, each.now.sequence, str(each.now.state)) for each in changes]
    assert told == [
        (None, "lead_nurture", "active"),
        (started.enrolment.id, "lead_nurture", "exited"),
        (None, "five_day", "active"),
    ]
    assert enrolments_changed(after, after) == [] and changes[2].now == taken.enrolment
    assert changes[0].emails() == changes[0].moved() == []
    assert [(old.step, new.state) for old, new in changes[1].moved()] == [(n, State.CANCELLED) for n in range(1, 6)]
    same = Change(started.enrolment, started.enrolment)
    assert len(same.emails()) == 5 and same.moved() == []
