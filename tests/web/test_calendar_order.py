"""Calendly and Cal.com: whatever they tell, in any order and however often, ends the same."""

import json
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from funnel_app.flows.templates.bookings import booked_calls
from funnel_app.flows.templates.compose import gather, variables_of
from funnel_app.ledger import emails
from funnel_app.ledger.models import Contact, Enrolment
from tests.apps import application
from tests.factories import make_deps
from tests.flows.leads import email_ids, opt_in
from tests.web.calendars import booking, calcom, calcom_event, calendly, calendly_event, missed


def test_bookings_count_and_cancellations_subtract_in_any_order(sqlite):
    deps = make_deps(sqlite, testing_mode=False)
    client = application(deps).test_client()
    first = email_ids(opt_in(deps, "bea@resend.dev"))[0]

    def counted():
        with deps.reads() as session:
            (email,) = emails.load(session, [first])
        found = variables_of(deps, email, gather(deps, {("christmas", email.template_key)}))
        return found["bookings_count"], found["spots_remaining"]

    assert counted() == (18, 12)
    at = deps.now().timestamp()
    for _ in range(3):
        calendly(client, calendly_event("invitee.created"), at=at)
    assert counted() == (19, 11)
    calendly(client, calendly_event("invitee.canceled", event="E2"), at=at)
    calendly(client, calendly_event("invitee.created", event="E2"), at=at)
    assert counted() == (19, 11)
    calendly(client, calendly_event("invitee.canceled", rescheduled=True), at=at)
    assert counted() == (18, 12)


def test_every_season_counts_its_own_bookings(sqlite):
    deps = make_deps(sqlite, testing_mode=False)
    client = application(deps).test_client()
    calendly(client, calendly_event("invitee.created"), at=deps.now().timestamp())
    assert booked_calls(deps, "christmas") == 1
    deps.now.at = datetime.fromisoformat("2027-09-30T12:00:00+00:00")
    assert booked_calls(deps, "christmas") == 1, "the season that began last"
    deps.now.at = datetime.fromisoformat("2027-10-01T12:00:00+00:00")
    assert booked_calls(deps, "christmas") == 0
    calendly(client, calendly_event("invitee.canceled"), at=deps.now().timestamp())
    assert booked_calls(deps, "christmas") == 0, "what is given up of last season takes nothing from this one"


STORY = [
    calendly_event("invitee.created", "2026-11-24T08:00:00Z", event="E1", at="2026-11-25T20:00:00Z"),
    calendly_event("invitee.canceled", "2026-11-24T09:00:00Z", event="E1", at="2026-11-25T20:00:00Z", rescheduled=True),
    calendly_event("invitee.created", "2026-11-24T09:00:00Z", event="E2", at="2026-11-26T20:00:00Z"),
    calendly_event("invitee_no_show.created", "2026-11-24T10:00:00Z", event="E2", at="2026-11-26T20:00:00Z"),
    calendly_event("invitee_no_show.deleted", "2026-11-24T10:05:00Z", event="E2", at="2026-11-26T20:00:00Z"),
    calendly_event("invitee_no_show.created", "2026-11-24T10:10:00Z", event="E2", at="2026-11-26T20:00:00Z"),
    calendly_event("invitee.created", "2026-11-24T11:00:00Z", event="E3", at="2026-12-01T20:00:00Z"),
]


FIRST, SECOND = "2026-11-25T20:00:00Z", "2026-11-26T20:00:00Z"
CALCOM_STORY = [
    calcom_event("BOOKING_CREATED", booking("bk_1", FIRST), "2026-11-24T08:00:00Z"),
    calcom_event("BOOKING_RESCHEDULED", booking("bk_2", SECOND, rescheduleUid="bk_1"), "2026-11-24T09:00:00Z"),
    calcom_event("BOOKING_NO_SHOW_UPDATED", missed("bk_2"), "2026-11-24T10:00:00Z"),
    calcom_event("BOOKING_NO_SHOW_UPDATED", missed("bk_2", no_show=False), "2026-11-24T10:05:00Z"),
    calcom_event("BOOKING_CREATED", booking("bk_3", "2026-12-01T20:00:00Z"), "2026-11-24T11:00:00Z"),
    calcom_event("BOOKING_CANCELLED", booking("bk_3", "2026-12-01T20:00:00Z"), "2026-11-24T11:30:00Z"),
]


class Stage:
    """Plays a story with a person and calls of its own, as often as one likes on one ledger."""

    def __init__(self, client, deps) -> None:
        self.client, self.deps, self.played = client, deps, 0

    def play(self, story) -> set[tuple[str, str, int, datetime]]:
        """Play a story and return every email that is still to go."""
        self.played += 1
        own = f"p{self.played}-"
        for event in story:
            text = json.dumps(event).replace("ana@", f"{own}@").replace("bk_", f"{own}bk_")
            body = json.loads(text.replace("scheduled_events/", f"scheduled_events/{own}"))
            at = self.deps.now().timestamp()
            answer = calendly(self.client, body, at=at) if "event" in body else calcom(self.client, body)
            assert answer.status_code in {200, 202}
        with self.deps.reads() as session:
            mine = select(Enrolment).join(Contact).where(Contact.email_norm == f"{own}@resend.dev")
            rows = session.scalars(mine.options(selectinload(Enrolment.emails))).all()
        emails = [(row.sequence, row.occurrence.removeprefix(own), email) for row in rows for email in row.emails]
        return {(name, call, email.step, email.due_at) for name, call, email in emails if email.state == "planned"}


@pytest.mark.parametrize(
    ("told", "left"),
    [(STORY, {("precall_prep", "E2"), ("precall_prep", "E3")}), (CALCOM_STORY, {("precall_prep", "bk_2")})],
    ids=["calendly", "calcom"],
)
def test_any_order_and_repetition_ends_the_same(client, deps, told, left):
    stage = Stage(client, deps)
    expected = stage.play(told)
    assert {(sequence, occurrence) for sequence, occurrence, *_ in expected} == left

    @settings(max_examples=40, deadline=None, derandomize=True, database=None)
    @given(story=st.permutations(told), repeated=st.lists(st.sampled_from(told), max_size=4))
    def ends_the_same(story, repeated):
        assert stage.play([*story, *repeated]) == expected

    ends_the_same()
