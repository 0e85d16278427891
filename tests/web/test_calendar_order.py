"""Calendly and Cal.com: whatever they tell, in any order and however often, ends the same."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from funnel_app.campaigns.model import Event, Mode
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.templates.compose import gather, variables_of
from funnel_app.flows.templates.recipient import booked_calls
from funnel_app.ledger import bookings, emails
from funnel_app.ledger.models import Contact, Enrolment
from funnel_app.rules.calls.call import Call
from funnel_app.web.hooks import common
from tests.apps import application
from tests.factories import make_deps
from tests.flows.leads import email_ids, opt_in
from tests.model.play import Rules
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


SCENARIO = [
    calendly_event("invitee.created", "2026-11-24T08:00:00Z", event="E1", at="2026-11-25T20:00:00Z"),
    calendly_event("invitee.canceled", "2026-11-24T09:00:00Z", event="E1", at="2026-11-25T20:00:00Z", rescheduled=True),
    calendly_event("invitee.created", "2026-11-24T09:00:00Z", event="E2", at="2026-11-26T20:00:00Z"),
    calendly_event("invitee_no_show.created", "2026-11-24T10:00:00Z", event="E2", at="2026-11-26T20:00:00Z"),
    calendly_event("invitee_no_show.deleted", "2026-11-24T10:05:00Z", event="E2", at="2026-11-26T20:00:00Z"),
    calendly_event("invitee_no_show.created", "2026-11-24T10:10:00Z", event="E2", at="2026-11-26T20:00:00Z"),
    calendly_event("invitee.created", "2026-11-24T11:00:00Z", event="E3", at="2026-12-01T20:00:00Z"),
]


FIRST, SECOND = "2026-11-25T20:00:00Z", "2026-11-26T20:00:00Z"
CALCOM_SCENARIO = [
    calcom_event("BOOKING_CREATED", booking("bk_1", FIRST), "2026-11-24T08:00:00Z"),
    calcom_event("BOOKING_RESCHEDULED", booking("bk_2", SECOND, rescheduleUid="bk_1"), "2026-11-24T09:00:00Z"),
    calcom_event("BOOKING_NO_SHOW_UPDATED", missed("bk_2"), "2026-11-24T10:00:00Z"),
    calcom_event("BOOKING_NO_SHOW_UPDATED", missed("bk_2", no_show=False), "2026-11-24T10:05:00Z"),
    calcom_event("BOOKING_CREATED", booking("bk_3", "2026-12-01T20:00:00Z"), "2026-11-24T11:00:00Z"),
    calcom_event("BOOKING_CANCELLED", booking("bk_3", "2026-12-01T20:00:00Z"), "2026-11-24T11:30:00Z"),
]


def seat(names: str, trigger: str, at: str, when: str = FIRST, uid: str = "bk_seat", **more) -> dict:
    """Return what Cal.com tells of one seat, or of several, of a call that many may book."""
    people = [{"name": who.title(), "email": f"{who}@resend.dev"} for who in names.split()]
    return calcom_event(trigger, booking(uid, when, attendees=people, seatsPerTimeSlot=9, **more), f"2026-11-24T{at}Z")


SEATS = [
    seat("ana", "BOOKING_CREATED", "08:00:00"),
    seat("ben", "BOOKING_CREATED", "08:05:00"),
    seat("cy", "BOOKING_CREATED", "08:10:00"),
    seat("ben", "BOOKING_CANCELLED", "09:00:00"),
    seat("ben", "BOOKING_CREATED", "09:10:00"),
    seat("ana ben cy", "BOOKING_RESCHEDULED", "10:00:00", SECOND, rescheduleUid="bk_seat"),
    seat("cy", "BOOKING_CANCELLED", "10:30:00", SECOND),
    seat("dee", "BOOKING_CREATED", "10:40:00", SECOND),
]
CALLED_OFF = [
    *SEATS[:3],
    seat("ana ben cy", "BOOKING_CANCELLED", "09:00:00"),
    seat("dee", "BOOKING_CREATED", "08:30:00"),
]
MERGED = [
    *SEATS[:3],
    seat("ana ben", "BOOKING_RESCHEDULED", "10:00:00", SECOND, uid="bk_new", rescheduleUid="bk_seat"),
    seat("cy", "BOOKING_CANCELLED", "09:00:00"),
]


def place(kind: str, invitee: str, at: str, event: str = "E1", **more) -> dict:
    uri = f"https://api.calendly.com/scheduled_events/{event}/invitees/{invitee}"
    when = FIRST if event == "E1" else SECOND
    return calendly_event(kind, f"2026-11-24T{at}Z", event=event, uri=uri, at=when, **more)


PLACES = [
    place("invitee.created", "I1", "11:00:00"),
    place("invitee.created", "I2", "11:10:00"),
    place("invitee.canceled", "I2", "11:20:00"),
    place("invitee.canceled", "I1", "11:30:00"),
    place("invitee.created", "I3", "11:50:00"),
]
THERE_AND_BACK = [
    place("invitee.created", "I1", "11:00:00"),
    place("invitee.canceled", "I1", "11:10:00", rescheduled=True),
    place("invitee.created", "I2", "11:10:00", "E2"),
    place("invitee.canceled", "I2", "11:20:00", "E2", rescheduled=True),
    place("invitee.created", "I3", "11:20:00"),
]


WEEKLY = {"freq": 2, "count": 4, "interval": 1}


def weekly(uid: str, day: str, trigger: str = "BOOKING_CREATED", at: str = "08:00:00") -> dict:
    series = booking(f"bk_{uid}", f"2026-{day}T20:00:00Z", recurringEvent=WEEKLY, eventTypeId=7)
    return calcom_event(trigger, series, f"2026-11-24T{at}Z")


SERIES = [
    *(weekly(f"mon{n}", day) for n, day in enumerate(("11-30", "12-07", "12-14", "12-21"))),
    *(weekly(f"thu{n}", day) for n, day in enumerate(("12-03", "12-10"))),
    weekly("mon1", "12-07", "BOOKING_CANCELLED", "09:00:00"),
    calcom_event("BOOKING_CREATED", booking("bk_one", "2026-12-21T20:00:00Z", eventTypeId=7), "2026-11-24T08:30:00Z"),
]
ASKED = [
    calcom_event("BOOKING_REQUESTED", booking("bk_a", FIRST), "2026-11-24T08:00:00Z"),
    calcom_event("BOOKING_CREATED", booking("bk_a", FIRST), "2026-11-24T08:10:00Z"),
    calcom_event("BOOKING_REQUESTED", booking("bk_b", SECOND, rescheduleUid="bk_a"), "2026-11-24T08:20:00Z"),
    calcom_event("BOOKING_CREATED", booking("bk_b", SECOND), "2026-11-24T08:30:00Z"),
    calcom_event("BOOKING_REQUESTED", booking("bk_c", SECOND), "2026-11-24T08:00:00Z"),
    calcom_event("BOOKING_REJECTED", booking("bk_c", SECOND), "2026-11-24T08:40:00Z"),
    calcom_event("BOOKING_CANCELLED", booking("bk_d", SECOND), "2026-11-24T08:50:00Z"),
    calcom_event("BOOKING_REQUESTED", booking("bk_d", SECOND), "2026-11-24T08:45:00Z"),
]
# Given up before another was missed, so it stands in no recovery's way; booked since, so that it does.
MISSED = [
    calcom_event("BOOKING_CREATED", booking("bk_2", "2026-12-01T20:00:00Z"), "2026-11-24T08:00:00Z"),
    calcom_event("BOOKING_CANCELLED", booking("bk_2", "2026-12-01T20:00:00Z"), "2026-11-24T09:00:00Z"),
    calcom_event("BOOKING_CREATED", booking("bk_1", "2026-11-24T10:00:00Z"), "2026-11-24T07:00:00Z"),
    calcom_event("BOOKING_NO_SHOW_UPDATED", missed("bk_1"), "2026-11-24T10:30:00Z"),
]
REBOOKED = [
    *MISSED,
    calcom_event("BOOKING_CREATED", booking("bk_3", "2026-12-02T20:00:00Z"), "2026-11-24T10:40:00Z"),
    calcom_event("BOOKING_CANCELLED", booking("bk_3", "2026-12-02T20:00:00Z"), "2026-11-24T10:50:00Z"),
]


class Stage:
    """Plays a story with people and calls of its own, as often as one likes on one ledger."""

    def __init__(self, client, deps) -> None:
        self.client, self.deps, self.played = client, deps, 0

    def play(self, story) -> tuple[int, set[tuple[str, str, str, int, datetime]]]:
        """Play a story; return how many calls it left to count, and every email that is still to go."""
        self.played += 1
        own, before = f"p{self.played}-", self.counted()
        for event in story:
            text = json.dumps(event).replace("@resend.dev", f".{own}@resend.dev").replace("bk_", f"{own}bk_")
            body = json.loads(text.replace("scheduled_events/", f"scheduled_events/{own}"))
            at = self.deps.now().timestamp()
            answer = calendly(self.client, body, at=at) if "event" in body else calcom(self.client, body)
            assert answer.status_code in {200, 202}
        with self.deps.reads() as session:
            mine = select(Enrolment).join(Contact).where(Contact.email_norm.endswith(f".{own}@resend.dev"))
            rows = session.scalars(mine.options(selectinload(Enrolment.emails), selectinload(Enrolment.contact))).all()
        found = [
            (row.contact.email_norm.partition(".")[0], row.sequence, row.occurrence.removeprefix(own), email)
            for row in rows
            for email in row.emails
        ]
        left = {(*of, email.step, email.due_at) for *of, email in found if email.state == "planned"}
        return self.counted() - before, left

    def counted(self) -> int:
        with self.deps.reads() as session:
            return bookings.count(session, "christmas", self.deps.mode)


PREP, RECOVERY = "precall_prep", "noshow_recovery"


def by_rules(told: Sequence[tuple[Call, ...]], now: datetime) -> tuple[int, set[tuple[str, str, str, int, datetime]]]:
    """Return what `Stage.play` does, by the rules alone, of calls as the hooks made them."""
    rules = Rules(Mode.TEST)
    for calls in told:
        rules.hear([_with_known_time(rules, call) for call in calls], now)
    found = [
        (who, sequence, of, step, due) for who, sequence, of, step, state, due in rules.outcome() if state == "planned"
    ]
    return rules.booked(), set(found)


def _with_known_time(rules: Rules, call: Call) -> Call:
    """Return a missed call with its time where it is known by then: Cal.com does not tell it, and its hook asks."""
    if call.source != "calcom" or call.event not in {Event.NO_SHOW, Event.NO_SHOW_UNDONE}:
        return call
    known = [b for c in rules.found.contacts.values() for b in c.bookings if b.occurrence == call.occurrence]
    at = next((booking.call_at for booking in known), None)
    return replace(call, call_at=at, variables={"scheduled_time": at.isoformat()} if at else {})


@pytest.mark.parametrize(
    ("told", "left"),
    [
        pytest.param(SCENARIO, {("ana", PREP, "E2"), ("ana", PREP, "E3")}, id="calendly"),
        pytest.param(CALCOM_SCENARIO, {("ana", PREP, "bk_2")}, id="calcom"),
        pytest.param(SEATS, {(who, PREP, "bk_seat") for who in ("ana", "ben", "dee")}, id="seats"),
        pytest.param(CALLED_OFF, set(), id="called-off"),
        pytest.param(MERGED, {("ana", PREP, "bk_new"), ("ben", PREP, "bk_new")}, id="merged"),
        pytest.param(PLACES, {("ana", PREP, "E1")}, id="places"),
        pytest.param(THERE_AND_BACK, {("ana", PREP, "E1")}, id="there-and-back"),
        pytest.param(SERIES, {("ana", PREP, f"bk_{n}") for n in ("thu0", "thu1", "one")}, id="series"),
        pytest.param(ASKED, {("ana", PREP, "bk_b")}, id="asked"),
        pytest.param(MISSED, {("ana", RECOVERY, "bk_1")}, id="missed"),
        pytest.param(REBOOKED, set(), id="rebooked"),
    ],
)
def test_any_order_and_repetition_ends_the_same(client, deps, monkeypatch, told, left):
    """Over hooks and ledger as it was told and backwards; by the rules, which are quick, in many orders more."""
    heard: list[tuple[Call, ...]] = []
    monkeypatch.setattr(common, "enrol", lambda deps, *calls: heard.append(calls) or enrol(deps, *calls))
    stage = Stage(client, deps)
    expected = stage.play(told)
    assert {(who, sequence, occurrence) for who, sequence, occurrence, *_ in expected[1]} == left
    calls = list(heard)
    assert stage.play([*told[::-1], *told[:3]]) == expected

    by_rule = by_rules(calls, deps.now())
    named = {(who.partition(".")[0], sequence, of.removeprefix("p1-")) for who, sequence, of, *_ in by_rule[1]}
    assert (by_rule[0], named) == (expected[0], left)

    @settings(max_examples=16)
    @given(story=st.permutations(calls), repeated=st.lists(st.sampled_from(calls), max_size=4))
    def ends_the_same(story, repeated):
        assert by_rules([*story, *repeated], deps.now()) == by_rule

    ends_the_same()
