"""Plan and reschedule: reminders must not go after their call, and move with it as long as they have not gone."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.rules.ids import new_id
from funnel_app.rules.plan import CALL_HAD_BEGUN, too_late
from funnel_app.rules.under_way import Row
from tests.rules.test_take import NOW, call, missed, played

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
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
