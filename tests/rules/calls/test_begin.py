"""Begin: the whole enrolment that a call starts, what a replayed or dated one counts from, and what went before."""

from dataclasses import replace
from datetime import timedelta

import pytest

from funnel_app.campaigns.model import Event, Mode
from funnel_app.campaigns.plan_text import plan_of
from funnel_app.campaigns.states import State
from funnel_app.rules.calls.begin import WENT_BEFORE, begin, begin_again
from funnel_app.rules.calls.call import BY_HAND
from funnel_app.rules.calls.decide import decide
from funnel_app.rules.calls.reading import Reading
from funnel_app.rules.calls.take import take
from funnel_app.rules.facts import EnrolmentFacts, Heard
from funnel_app.rules.ids import new_id
from funnel_app.rules.states import EnrolmentState, Outcome
from tests.rules.calls.test_take import NOW, booked, call, case, missed, played

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOOK = new_id()


def began(made, found=None, run=1, **more):
    at = case(found or Reading(), made, **more)
    return at, begin(at, at.sequence, HOOK, run)


def test_an_enrolment_says_of_whom_it_is_what_began_it_and_by_which_plan():
    made = call(contact={"first_name": "Ana", "utm_source": "ad"}, variables={"city": "Oslo"}, happened_at=NOW - HOUR)
    at, found = began(made, run=3)
    sequence = at.campaign.sequences["lead_nurture"]
    assert replace(found, emails=()) == EnrolmentFacts(
        id=found.id,
        contact_id=at.contact.id,
        hook_event_id=HOOK,
        campaign="christmas",
        sequence="lead_nurture",
        run=3,
        mode="live",
        kind="marketing",
        happened_at=NOW - HOUR,
        anchor_at=NOW,
        deadline=at.timing(NOW).deadline,
        plan=plan_of(at.campaign, sequence),
        variables={"utm_source": "ad", "city": "Oslo"},
        created_at=NOW,
    )
    assert [email.template_key for email in found.emails] == [step.template for step in sequence.steps]


@pytest.mark.parametrize(
    ("times", "counts_from"),
    [
        ({}, NOW),
        ({"happened_at": NOW - DAY}, NOW),
        ({"received_at": NOW - DAY}, NOW - DAY),
        ({"begins_at": NOW + DAY}, NOW + DAY),
        ({"begins_at": NOW + DAY, "received_at": NOW - DAY}, NOW + DAY),
    ],
)
def test_emails_count_from_now_or_from_when_a_replayed_call_came_or_from_the_day_that_was_asked_for(times, counts_from):
    _, found = began(call(**times))
    assert (found.anchor_at, found.emails[0].due_at, found.created_at) == (counts_from, counts_from, NOW)


def test_reminders_count_from_the_newest_time_of_their_booking_and_say_it():
    first = booked(at=NOW, variables={"call_time": "then", "city": "Oslo"})
    found, _ = played(first)
    older = replace(first, call_at=NOW + 2 * DAY, happened_at=NOW - HOUR)
    _, started = began(older, found)
    newest = NOW + 3 * DAY
    assert (started.call_at, started.anchor_at, started.occurrence) == (newest, newest, "e2")
    assert started.variables == {"call_time": newest.isoformat(), "city": "Oslo"}
    _, same = began(first, found)
    assert (same.call_at, same.variables["call_time"]) == (newest, "then")


def test_what_went_of_a_booking_before_it_was_given_up_goes_no_second_time_for_the_same_call():
    found, taken = played(booked(at=NOW))
    first, second, third = taken.enrolment.emails
    went = (replace(first, state=State.DELIVERED), replace(second, template_key="renamed", state=State.SENT), third)
    contact = found.contacts["ana@resend.dev"].with_enrolments(replace(taken.enrolment, emails=went))
    known = found.with_contact(contact)
    _, again = began(booked(at=NOW + HOUR), known, run=2)
    assert [email.reason for email in again.emails] == [WENT_BEFORE.words, WENT_BEFORE.words, None]
    later = replace(booked(at=NOW + HOUR), occurrence="e3")
    _, other = began(later, known, run=2)
    assert {email.reason for email in other.emails} == {None}, "another call has reminders of its own"


def settled(found, **more):
    """What begins again once a booking that blocked it was cancelled before the call was missed."""
    off = case(found, booked(Event.BOOKING_CANCELLED, at=NOW - HOUR), NOW + HOUR)
    taken = take(off, HOOK)
    return begin_again(replace(off, **more), replace(taken.contact, enrolments=found_of(found).enrolments), HOOK)


def found_of(found):
    return found.contacts["ana@resend.dev"]


def heard(outcome=Outcome.IGNORED, **more):
    said = {"event": Event.NO_SHOW, "campaign": "christmas", "occurrence": "e1", "received_at": NOW}
    return Heard(**{**said, "happened_at": None, "call_at": None, "outcome": outcome, **more})


def kept_out(*words):
    found, _ = played(booked(at=NOW - 2 * HOUR), call(contact={"utm_source": "ad"}))
    return found.with_contact(replace(found_of(found), heard=words))


@pytest.mark.parametrize(
    ("word", "times"),
    [
        (heard(), (NOW, None, {"utm_source": "ad"})),
        (
            heard(happened_at=NOW - HOUR / 2, call_at=NOW - HOUR),
            (NOW - HOUR / 2, NOW - HOUR, {"utm_source": "ad", "scheduled_time": (NOW - HOUR).isoformat()}),
        ),
        (heard(Outcome.ACCEPTED), None),
        (heard(campaign="spring"), None),
        (heard(event=Event.MAYBE), None),
        (heard(happened_at=NOW - 30 * DAY), None),
    ],
)
def test_a_missed_call_that_a_booking_kept_out_begins_when_the_booking_turns_out_to_have_been_off(word, times):
    found = [(each.happened_at, each.call_at, each.variables) for each in settled(kept_out(word))]
    assert found == ([times] if times else [])


def test_what_begins_again_is_one_run_more_and_only_after_a_word_about_bookings():
    (begun,) = settled(kept_out(heard(occurrence="e9")))
    assert (begun.sequence, begun.occurrence, begun.run, begun.hook_event_id) == ("noshow_recovery", "e9", 1, HOOK)
    plain = case(kept_out(heard()), call(Event.ASSESSMENT))
    assert begin_again(plain, plain.contact, HOOK) == []


@pytest.mark.parametrize(
    ("ended", "may"),
    [
        ({}, False),
        ({"state": EnrolmentState.COMPLETED, "ended_at": NOW}, False),
        ({"state": EnrolmentState.EXITED, "ended_at": NOW, "exit_event": "no_show_undone"}, True),
        ({"state": EnrolmentState.EXITED, "ended_at": NOW, "exit_event": "onboarding"}, False),
    ],
)
def test_a_missed_call_begins_again_only_where_it_was_taken_back(ended, may):
    found, taken = played(missed())
    before = replace(taken.enrolment, **ended)
    known = found.with_contact(found_of(found).with_enrolments(before))
    made = decide(case(known, replace(missed(), happened_at=NOW + HOUR), NOW + HOUR))
    assert made.outcome is (Outcome.ACCEPTED if may else Outcome.DUPLICATE)
    assert (made.run, made.before) == ((2, None) if may else (1, before))
    stale = decide(case(known, replace(missed(), happened_at=NOW - HOUR), NOW + HOUR))
    assert stale.outcome is Outcome.DUPLICATE, "an older word"


@pytest.mark.parametrize(("reentry", "ends", "may"), [("never", True, False), ("after_end", True, True)])
def test_a_sequence_that_its_file_lets_begin_again_does_after_its_end(reentry, ends, may):
    found, taken = played(call())
    over = replace(taken.enrolment, state=EnrolmentState.COMPLETED, ended_at=NOW if ends else None)
    at = case(found.with_contact(found_of(found).with_enrolments(over)), call(), NOW + DAY)
    sequence = replace(at.campaign.sequences["lead_nurture"], reentry=reentry)
    at = replace(at, campaign=replace(at.campaign, sequences={**at.campaign.sequences, sequence.name: sequence}))
    told = decide(at)
    assert (told.outcome is Outcome.ACCEPTED, told.run) == (may, 2 if may else 1)
    if not may:
        assert told.reason == "“Nurture for new opt-ins” was already started for this contact"


def stopped(found, **emails):
    """What is known once a lead's first sequence ended by no event of theirs, with its emails in these states."""
    run = found_of(found).enrolments[0]
    parts = tuple(replace(email, **emails.get(f"e{email.step}", {"state": State.CANCELLED})) for email in run.emails)
    over = replace(run, state=EnrolmentState.EXITED, exit_reason="the address bounced", ended_at=NOW, emails=parts)
    return found.with_contact(found_of(found).with_enrolments(over))


@pytest.mark.parametrize(
    ("source", "more", "may"),
    [
        (BY_HAND, {}, True),
        ("website", {}, False),
        (BY_HAND, {"exit_event": Event.REPLY}, False),
        (BY_HAND, {"state": EnrolmentState.COMPLETED}, False),
    ],
)
def test_an_operator_alone_takes_up_what_ended_by_no_event_of_the_lead(source, more, may):
    known = stopped(played(call())[0])
    known = known.with_contact(found_of(known).with_enrolments(replace(found_of(known).enrolments[0], **more)))
    told = decide(case(known, call(source=source), NOW + DAY))
    assert (told.outcome is Outcome.ACCEPTED, told.run) == (may, 2 if may else 1)


BY_WEBSITE = {"state": State.SKIPPED, "reason_code": "sent_by_website"}
ARRIVED, BACK = {"state": State.DELIVERED}, {"state": State.BOUNCED}


@pytest.mark.parametrize(
    ("before", "goes"),
    [
        ({"e1": BACK}, [1, 2, 3, 4, 5]),
        ({"e1": ARRIVED, "e2": BACK}, [2, 3, 4, 5]),
        ({"e1": ARRIVED, "e2": {"state": State.FAILED}}, [2, 3, 4, 5]),
        ({"e1": {"state": State.AMBIGUOUS}}, [2, 3, 4, 5]),
        ({"e1": BY_WEBSITE}, [2, 3, 4, 5]),
        ({"e1": BY_WEBSITE, "e2": BACK}, [1, 2, 3, 4, 5]),
    ],
)
def test_what_is_taken_up_sends_nothing_twice_and_leaves_out_nothing_that_came_back(before, goes):
    known = stopped(played(call())[0], **before)
    _, again = began(call(source=BY_HAND), known, run=2)
    assert [email.step for email in again.emails if email.state is State.PLANNED] == goes
    assert {email.reason for email in again.emails if email.step not in goes} <= {WENT_BEFORE.words}
    once_more = replace(again, state=EnrolmentState.EXITED, ended_at=NOW)
    _, third = began(call(source=BY_HAND), known.with_contact(found_of(known).with_enrolments(once_more)), run=3)
    assert [email.step for email in third.emails if email.state is State.PLANNED] == goes, "nor when it ends once more"


def test_what_does_not_start_says_why():
    found, _ = played(booked(at=NOW - HOUR))
    blocked = decide(case(found.with_contact(replace(found_of(found), heard=(heard_booking(),))), call()))
    words = "“Nurture for new opt-ins” does not start: the contact already booked a call on 24 November"
    assert (blocked.outcome, blocked.reason) == (Outcome.IGNORED, words)
    again = case(Reading(), call(Event.NO_SHOW_UNDONE, occurrence="e1"))
    known = replace(again.contact, heard=(heard(Outcome.ACCEPTED, event=Event.NO_SHOW_UNDONE),))
    assert decide(replace(again, contact=known)).reason == "this is already recorded"


def heard_booking():
    return heard(Outcome.ACCEPTED, event=Event.BOOKING, occurrence="e2", received_at=NOW - HOUR)


def test_a_canary_is_one_whatever_the_mode_is():
    at = case(Reading(), call())
    assert at.mode is Mode.LIVE
    assert replace(at, campaign=replace(at.campaign, name="canary")).mode is Mode.CANARY


def test_out_of_season_it_is_said_when_a_sequence_starts_again():
    at = case(Reading(), call(Event.ASSESSMENT), NOW + 30 * DAY)
    resting = replace(at.campaign.sequences["five_day"], off_season="nothing")
    at = replace(at, campaign=replace(at.campaign, sequences={"five_day": resting}))
    told = decide(at)
    words = "“Five-day follow-up” does not start out of season: it starts again on 1 October"
    assert (told.outcome, told.reason) == (Outcome.IGNORED, words)
