"""Plan and reschedule: reminders must not go after their call, and move with it as long as they have not gone."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from funnel_app.campaigns.model import EmailOne, Event, Mode, Window
from funnel_app.campaigns.states import State
from funnel_app.rules.calls.reading import Reading
from funnel_app.rules.ids import new_id
from funnel_app.rules.sequences.plan import CALL_HAD_BEGUN, FirstEmail, anchor, gave_way, too_late
from funnel_app.rules.sequences.under_way import Row
from tests.rules.calls.test_take import NOW, call, case, missed, played

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
CALL_AT = NOW + 10 * DAY
BOOKED = call(Event.BOOKING, occurrence="e1", call_at=CALL_AT, happened_at=NOW)


def test_a_reminder_must_not_go_after_its_call_and_no_other_email_has_such_a_time():
    _, reminders = played(BOOKED)
    assert {email.latest_at for email in reminders.enrolment.emails} == {CALL_AT}
    assert reminders.enrolment.deadline == date(2026, 12, 5)
    _, others = played(missed())
    assert {email.latest_at for email in others.enrolment.emails} == {None}


@pytest.mark.parametrize(
    ("ahead", "reasons"),
    [
        (10 * DAY, [None, None, None]),
        (2 * DAY, [None, None, None]),
        (2 * DAY - HOUR, ["the call was in less than 2 days", None, None]),
        (3 * HOUR, ["the call was in less than 2 days", "the call was in less than 13 hours", None]),
        (timedelta(0), [CALL_HAD_BEGUN] * 3),
    ],
)
def test_of_reminders_that_a_late_booking_leaves_no_time_for_the_nearest_goes(ahead, reasons):
    _, taken = played(replace(BOOKED, call_at=NOW + ahead))
    assert [email.reason for email in taken.enrolment.emails] == reasons


@pytest.mark.parametrize(
    ("times", "after", "late"),
    [
        ({"latest_at": CALL_AT}, CALL_AT - HOUR, None),
        ({"latest_at": CALL_AT}, CALL_AT, CALL_HAD_BEGUN),
        ({}, NOW + 2 * DAY, None),
        ({}, NOW + 2 * DAY + HOUR, "too late: over 2 days after its time"),
        ({"was_due_at": NOW - HOUR}, NOW + 2 * DAY, "too late: over 2 days after its time"),
    ],
)
def test_an_email_is_too_late_after_its_call_or_by_what_its_sequence_allows(times, after, late):
    email = Row(step=1, template_key="k", due_at=NOW, state=State.PLANNED, **times)
    assert too_late(email, 2 * DAY, after) == late


def test_a_moved_call_takes_back_what_is_not_frozen_and_leaves_what_is():
    found, first = played(BOOKED)
    one, two, three = first.enrolment.emails
    emails = (
        replace(one, state=State.SENDING, request_id=new_id()),
        replace(two, state=State.SENDING),
        replace(three, state=State.DELIVERED),
    )
    contact = found.contacts["ana@resend.dev"].with_enrolments(replace(first.enrolment, emails=emails))
    later = replace(BOOKED, call_at=CALL_AT + DAY, happened_at=NOW + HOUR, variables={"call_time": "later"})
    _, moved = played(later, found=found.with_contact(contact))
    gone, back, read = moved.enrolment.emails
    assert (gone, read) == (emails[0], emails[2])
    assert (back.state, back.reason) == (State.PLANNED, "requeued: the call was moved")
    assert (back.due_at, back.latest_at) == (two.due_at + DAY, CALL_AT + DAY)
    assert (moved.enrolment.call_at, moved.enrolment.variables["call_time"]) == (CALL_AT + DAY, "later")


def test_a_moved_call_keeps_its_plan_in_whole_seconds():
    odd = datetime(2026, 12, 9, 15, 0, 0, 500_000, tzinfo=UTC)
    found, _ = played(BOOKED)
    _, moved = played(replace(BOOKED, call_at=odd, happened_at=NOW + HOUR), found=found)
    assert moved.enrolment.anchor_at == odd.replace(microsecond=0)
    assert [odd.replace(microsecond=0) - email.due_at for email in moved.enrolment.emails] == [3 * DAY, DAY, 2 * HOUR]


MIDDLE = CALL_AT - 2 * DAY


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (MIDDLE - 1 * DAY - SECOND, None),
        (MIDDLE - DAY, None),
        (MIDDLE, None),
        (MIDDLE + SECOND, "the call was in less than 2 days"),
        (CALL_AT - DAY, "the call was in less than 2 days"),
    ],
)
def test_a_late_reminder_gives_way_once_the_next_one_is_nearer(now, words):
    assert gave_way(CALL_AT - 3 * DAY, CALL_AT - DAY, CALL_AT, now) == words


@pytest.mark.parametrize(
    ("due", "after", "words"),
    [
        (timedelta(minutes=90), timedelta(minutes=30), "the call was in less than 1 hour"),
        (3 * HOUR, HOUR, "the call was in less than 2 hours"),
        (5 * HOUR / 2, HOUR, "the call was in less than 2 hours"),
    ],
)
def test_how_near_the_call_was_is_told_in_hours_or_minutes(due, after, words):
    assert gave_way(CALL_AT - due, CALL_AT - after, CALL_AT, CALL_AT - after) == words


def test_in_testing_mode_a_step_counts_intervals_and_no_window_and_no_season_holds_it():
    at = case(Reading(), call())
    sequence = replace(at.campaign.sequences["five_day"], window=Window(time(3), time(4)))
    timing = replace(at.timing(NOW), mode=Mode.TEST, interval_seconds=7)
    assert timing.all_due(sequence) == [NOW + n * timedelta(seconds=7) for n in range(5)]
    assert timing.due_at(sequence, sequence.step(3)) == NOW + timedelta(seconds=14)
    summer = datetime(2027, 6, 1, tzinfo=UTC)
    last = replace(sequence.step(5), after_deadline=None)
    assert (timing.not_on(last, summer), at.timing(NOW).not_on(last, summer)) == (None, "out of season")


@pytest.mark.parametrize(
    ("first", "rule", "sent"),
    [
        (FirstEmail(), EmailOne.WEBSITE, True),
        (FirstEmail(sent_at=NOW), EmailOne.FUNNEL, False),
        (FirstEmail(sent_at=NOW), EmailOne.PAYLOAD, True),
        (FirstEmail(sent_at=NOW, status=" SENT "), EmailOne.PAYLOAD, True),
        (FirstEmail(sent_at=NOW, status="failed"), EmailOne.PAYLOAD, False),
        (FirstEmail(status="sent"), EmailOne.PAYLOAD, False),
        (FirstEmail(entrance="legacy"), EmailOne.FUNNEL, True),
    ],
)
def test_who_sends_the_first_email_is_the_files_rule_for_the_entrance(first, rule, sent):
    sequence = case(Reading(), call()).campaign.sequences["lead_nurture"]
    ruled = replace(sequence, email_1=rule, email_1_by_entrance={"legacy": EmailOne.WEBSITE})
    assert first.sent_by_website(ruled) is sent


def test_steps_count_from_the_websites_first_email_but_never_from_later_than_now():
    sequence = replace(case(Reading(), call()).campaign.sequences["lead_nurture"], email_1=EmailOne.PAYLOAD)
    assert anchor(FirstEmail(sent_at=NOW - HOUR), sequence, None, NOW) == NOW - HOUR
    assert anchor(FirstEmail(sent_at=NOW + HOUR), sequence, None, NOW) == NOW
    assert anchor(FirstEmail(), sequence, CALL_AT, NOW + timedelta(microseconds=5)) == NOW
