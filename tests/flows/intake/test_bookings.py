"""Calls of calendars: webhooks of one event that come at once are taken one after the other, whoever is first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.privacy.erase import erase
from funnel_app.ledger import bookings, contacts, enrolments, hook_events
from funnel_app.rules.calendar.whole import Whole, digest
from tests.flows.leads import call

NAMES = [f"lead{n}@resend.dev" for n in range(8)]


def booked(deps, address, **more):
    at = deps.now() + timedelta(days=9)
    return call(address, event=Event.BOOKING, occurrence="seat1", call_at=at, source="calcom", **more)


@pytest.mark.both_databases
def test_seats_that_are_booked_while_the_host_calls_off_all_have_no_reminders(deps):
    now = deps.now()
    off = call(
        NAMES[0],
        event=Event.BOOKING_CANCELLED,
        occurrence="seat1",
        source="calcom",
        happened_at=now,
        whole=Whole(of=frozenset(map(digest, NAMES))),
    )
    seats = [booked(deps, name, happened_at=now - timedelta(minutes=5)) for name in NAMES]
    with ThreadPoolExecutor(9) as webhooks:
        list(webhooks.map(lambda made: enrol(deps, made), [*seats[:4], off, *seats[4:]]))
    with deps.reads() as session:
        running = [enrolments.running(session, contacts.find(session, name).id) for name in NAMES]
        assert running == [[]] * 8
        assert bookings.count(session, "christmas", deps.mode) == 0


@pytest.mark.parametrize("source", ["calcom", "website"])
def test_twelve_calls_at_once_are_no_robots_work_where_a_calendar_tells_them(deps, source):
    made = [call(event=Event.BOOKING, occurrence=f"week{n}", call_at=deps.now(), source=source) for n in range(12)]
    if source == "calcom":
        assert {enrol(deps, each).status for each in made} == {"accepted"}
        assert enrol(deps, call()).status == "ignored"  # booked a call; and not: too many
    else:
        with pytest.raises(Exception, match="Too many sequences"):
            [enrol(deps, each) for each in made]


def test_who_is_erased_is_on_no_list_of_those_who_come(deps):
    listed = Whole(of=frozenset(map(digest, NAMES)))
    off = {"event": Event.BOOKING_CANCELLED, "occurrence": "seat1", "source": "calcom", "whole": listed}
    for name in NAMES[:2]:
        enrol(deps, booked(deps, name))
    hook_id = enrol(deps, call(NAMES[0], payload={"attendees": NAMES}, **off)).hook_id
    erase(deps, NAMES[1])
    with deps.reads() as session:
        kept = hook_events.find(session, hook_id)
    assert digest(NAMES[1]) not in kept.whole["of"] and len(kept.whole["of"]) == len(NAMES) - 1
    assert kept.payload == {}
