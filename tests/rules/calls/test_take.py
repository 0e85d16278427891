"""Rules: one reading and one call in, what becomes of it out; no database, no clock."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from funnel_app.campaigns.model import Event, Mode, Step, Window
from funnel_app.campaigns.registry import load_registry
from funnel_app.campaigns.states import IllegalTransition, State
from funnel_app.rules import states
from funnel_app.rules.calls.call import Call
from funnel_app.rules.calls.case import Case
from funnel_app.rules.calls.decide import decide
from funnel_app.rules.calls.limits import PER_ADDRESS, PER_IP, TooManyEnrolments
from funnel_app.rules.calls.reading import Reading, wanted_for
from funnel_app.rules.calls.take import Taken, take
from funnel_app.rules.facts import ContactFacts, Heard
from funnel_app.rules.ids import new_id
from funnel_app.rules.sequences.plan import FirstEmail, Timing
from funnel_app.rules.states import EnrolmentState

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
REGISTRY = load_registry()


def call(event: Event = Event.OPT_IN, address: str = "ana@resend.dev", **more) -> Call:
    return Call(campaign="christmas", hook="signup", event=event, email=address, email_norm=address, **more)


def case(found: Reading, made: Call, now: datetime = NOW, **more) -> Case:
    return Case(
        campaign=REGISTRY.campaign("christmas"),
        contact=found.contact_of(made, now),
        call=made,
        now=now,
        current_mode=Mode.LIVE,
        interval_seconds=60,
        **more,
    )


def played(*calls: Call, found: Reading | None = None, now: datetime = NOW) -> tuple[Reading, Taken]:
    """Take calls one after the other, each on what the one before it left."""
    found = found or Reading()
    for each in calls:
        taken = take(case(found, each, now), new_id())
        found = found.with_contact(taken.contact)
    return found, taken


def test_a_new_person_starts_a_sequence_with_all_its_emails():
    found, taken = played(call(contact={"first_name": "Ana", "utm_source": "ad"}))
    contact = found.contacts["ana@resend.dev"]
    assert (contact.first_name, contact.properties) == ("Ana", {"utm_source": "ad"})
    assert contact.enrolments == (taken.enrolment,)
    assert [email.due_at - NOW for email in taken.enrolment.emails] == [timedelta(days=n) for n in range(5)]


def test_a_reading_is_never_changed_by_what_is_made_of_it():
    before, _ = played(call())
    known = before.contacts["ana@resend.dev"]
    played(call(Event.ASSESSMENT, contact={"first_name": "Anna"}), found=before)
    assert before.contacts["ana@resend.dev"] is known
    assert known.first_name is None and known.enrolments[0].state is EnrolmentState.ACTIVE


def test_what_ends_a_sequence_cancels_what_was_not_handed_over():
    found, started = played(call())
    gone, kept = started.enrolment.emails[0], started.enrolment.emails[1]
    emails = (replace(gone, state=State.SENDING, request_id=new_id()), *started.enrolment.emails[1:])
    contact = found.contacts["ana@resend.dev"].with_enrolments(replace(started.enrolment, emails=emails))
    _, taken = played(call(Event.ASSESSMENT), found=found.with_contact(contact))
    (ended,) = taken.ended
    assert (ended.state, ended.exit_event) == (EnrolmentState.EXITED, "assessment")
    assert [email.state for email in ended.emails] == [State.SENDING, *[State.CANCELLED] * 4]
    assert kept.state is State.PLANNED


def test_one_event_may_speak_of_several_people_each_by_themselves():
    found, _ = played(call(), call(address="ben@resend.dev"), call(Event.ASSESSMENT, "ben@resend.dev"))
    runs = {address: [e.sequence for e in c.enrolments if e.runs] for address, c in found.contacts.items()}
    assert runs == {"ana@resend.dev": ["lead_nurture"], "ben@resend.dev": ["five_day"]}


def test_a_moved_call_takes_its_reminders_along_and_an_older_word_changes_nothing():
    at = NOW + timedelta(days=10)
    booked = call(Event.BOOKING, occurrence="call-1", call_at=at, happened_at=NOW)
    later = replace(booked, call_at=at + timedelta(days=1), happened_at=NOW + timedelta(minutes=2))
    found, first = played(booked)
    found, moved = played(later, found=found)
    gaps = [new.due_at - old.due_at for new, old in zip(moved.enrolment.emails, first.enrolment.emails, strict=True)]
    assert gaps == [timedelta(days=1)] * 3
    _, stale = played(replace(booked, happened_at=NOW + timedelta(minutes=1)), found=found)
    assert stale.enrolment == moved.enrolment


@pytest.mark.parametrize(("before", "refused"), [(PER_ADDRESS[0] - 1, False), (PER_ADDRESS[0], True)])
def test_more_starts_for_an_address_than_people_make_are_refused(before, refused):
    found, started = played(call())
    many = [replace(started.enrolment, id=new_id(), sequence=f"other{n}") for n in range(before)]
    contact = replace(found.contacts["ana@resend.dev"], enrolments=tuple(many))
    if refused:
        with pytest.raises(TooManyEnrolments):
            played(call(), found=found.with_contact(contact))
    else:
        assert played(call(), found=found.with_contact(contact))[1].decision.outcome == "accepted"


def test_starts_from_one_ip_address_count_those_of_this_very_transaction():
    found = Reading(started={"2001:db8:0:1::/64": PER_IP[0] - 2})
    for name in ("ana", "ben"):
        made = call(address=f"{name}@resend.dev", contact={"consent_ip": f"2001:db8:0:1::{name[0]}"})
        found = found.counting(made)
    assert found.started == {"2001:db8:0:1::/64": PER_IP[0], "ana@resend.dev": 1, "ben@resend.dev": 1}
    with pytest.raises(TooManyEnrolments, match="IP address"):
        take(case(found, call(address="cy@resend.dev"), from_caller=PER_IP[0]), new_id())


def test_what_was_started_for_a_mailbox_counts_for_all_of_its_addresses():
    assert call(address="ana+9@resend.dev").mailbox == call(address="ana@resend.dev").mailbox
    with pytest.raises(TooManyEnrolments, match="this address"):
        take(case(Reading(), call(), for_mailbox=PER_ADDRESS[0]), new_id())


def test_what_is_read_for_a_call_is_what_blocks_its_start_or_its_own_kind():
    exits = REGISTRY.campaign("christmas").sequences["lead_nurture"].exits
    assert wanted_for([call()], REGISTRY, NOW).events == exits
    recovery = REGISTRY.campaign("christmas").sequences["noshow_recovery"]
    of_calls = {"booking_cancelled", recovery.starts_on, *recovery.exits}
    assert wanted_for([call(Event.BOOKING_CANCELLED)], REGISTRY, NOW).events == of_calls


@pytest.mark.parametrize("current", EnrolmentState)
@pytest.mark.parametrize("new", EnrolmentState)
def test_an_enrolment_that_ended_stays_so(current, new):
    if current in states.RUNNING and new is not current:
        states.check(current, new)
    else:
        with pytest.raises(IllegalTransition):
            states.check(current, new)


def test_the_newest_run_counts():
    found, started = played(call())
    contact: ContactFacts = found.contacts["ana@resend.dev"]
    again = replace(started.enrolment, id=new_id(), run=2)
    assert contact.with_enrolments(again).latest("christmas", "lead_nurture", "") == again


def test_steps_that_a_window_moves_keep_their_distance_and_days_their_time():
    christmas = REGISTRY.campaign("christmas")
    of_hours = [Step(n, f"e{n}", timedelta(minutes=m), n) for n, m in ((1, 5), (2, 60), (3, 300))]
    steps = (*of_hours, Step(4, "e4", timedelta(days=1), 4, in_days=True))
    window = Window(opens=time(8), closes=time(20))
    sequence = replace(christmas.sequences["lead_nurture"], steps=steps, window=window)
    night = datetime(2026, 11, 25, 3, tzinfo=UTC)
    timing = Timing(
        campaign=christmas,
        deadline=night.date(),
        anchor_at=night,
        mode=Mode.LIVE,
        interval_seconds=60,
        zone=ZoneInfo("UTC"),
    )
    assert [f"{at:%d %H:%M}" for at in timing.all_due(sequence)] == ["25 08:00", "25 08:55", "25 12:55", "26 08:00"]


def test_an_email_that_the_website_sent_says_so_by_a_code_beside_its_words():
    sent_at = NOW - timedelta(hours=1)
    _, taken = played(call(Event.ASSESSMENT, first=FirstEmail(sent_at=sent_at, status="sent")))
    first, second = taken.enrolment.emails[:2]
    assert (first.state, first.reason, first.reason_code) == (State.SKIPPED, "sent by the website", "sent_by_website")
    assert (second.reason_code, second.due_at) == (None, sent_at + timedelta(days=1))


def missed(occurrence: str = "e1", at: datetime = NOW) -> Call:
    return call(Event.NO_SHOW, occurrence=occurrence, call_at=at - timedelta(hours=1), happened_at=at)


def booked(event: Event = Event.BOOKING, *, at: datetime, **more) -> Call:
    later = {"occurrence": "e2", "call_at": NOW + timedelta(days=3), **more}
    return call(event, happened_at=at, **later)


def test_a_sequence_ended_by_a_booking_begins_again_when_it_turns_out_to_have_been_cancelled_before():
    minute = timedelta(minutes=1)
    found, _ = played(missed())
    found, _ = played(booked(at=NOW - 2 * minute), found=found, now=NOW + minute)
    (ended,) = found.contacts["ana@resend.dev"].runs_in("christmas", "noshow_recovery", "e1")
    assert (ended.state, ended.exit_event) == (EnrolmentState.EXITED, Event.BOOKING)
    found, _ = played(booked(Event.BOOKING_CANCELLED, at=NOW - minute), found=found, now=NOW + 2 * minute)
    _, again = found.contacts["ana@resend.dev"].runs_in("christmas", "noshow_recovery", "e1")
    assert (again.run, again.occurrence, again.state) == (2, "e1", EnrolmentState.ACTIVE)
    assert (again.happened_at, again.call_at) == (NOW, NOW - timedelta(hours=1))
    assert again.created_at == NOW + 2 * minute and len(again.emails) == 3


def test_a_sequence_blocked_by_a_booking_begins_when_it_turns_out_to_have_been_cancelled_before():
    minute = timedelta(minutes=1)
    found, _ = played(booked(at=NOW - 2 * minute))
    found, taken = played(missed(), found=found)
    assert taken.decision.outcome is states.Outcome.IGNORED
    heard = Heard(
        event=Event.NO_SHOW,
        campaign="christmas",
        occurrence="e1",
        outcome=states.Outcome.IGNORED,
        received_at=NOW + timedelta(seconds=5),
        happened_at=NOW,
        call_at=NOW - timedelta(hours=1),
    )
    found = found.with_contact(replace(found.contacts["ana@resend.dev"], heard=(heard,)))
    found, _ = played(booked(Event.BOOKING_CANCELLED, at=NOW - minute), found=found, now=NOW + minute)
    (begun,) = found.contacts["ana@resend.dev"].runs_in("christmas", "noshow_recovery", "e1")
    assert (begun.run, begun.happened_at, begun.call_at) == (1, NOW, NOW - timedelta(hours=1))
    assert begun.variables["scheduled_time"] == (NOW - timedelta(hours=1)).isoformat()


def test_an_event_that_starts_nothing_is_accepted_once_and_again_where_it_is_news():
    undone = call(Event.NO_SHOW_UNDONE, occurrence="e1")
    assert decide(case(Reading(), undone)).outcome is states.Outcome.ACCEPTED
    before = Heard(
        event=undone.event,
        campaign="christmas",
        occurrence="e1",
        outcome=states.Outcome.ACCEPTED,
        received_at=NOW,
        happened_at=NOW,
        call_at=None,
    )
    again = case(Reading(), undone)
    again = replace(again, contact=replace(again.contact, heard=(before,)))
    assert decide(again).outcome is states.Outcome.DUPLICATE
    assert decide(replace(again, is_news=True)).run == 2


def test_a_limit_names_the_span_after_which_the_caller_may_come_again():
    with pytest.raises(TooManyEnrolments) as refused:
        take(case(Reading(), call(), for_mailbox=PER_ADDRESS[0]), new_id())
    assert refused.value.retry_after == PER_ADDRESS[1]
