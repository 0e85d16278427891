"""Refused calls: what a known caller sends and cannot be used is told once, and stands until it is replayed."""

from datetime import UTC, datetime

import pytest

from funnel_app.flows.intake import keep_refused
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.intake.received_calls import mark_replayed
from funnel_app.flows.monitoring.checks.emails import refused
from funnel_app.flows.monitoring.doctor import examine
from funnel_app.flows.monitoring.notifications.digest import digest_when_due
from funnel_app.flows.monitoring.notifications.notify import notify
from tests.factories import make_deps
from tests.flows.monitoring.live import LIVE, run_tasks

NO_TIME = {"meeting_time": ["Not a valid datetime."]}


@pytest.fixture
def live(deps):
    return make_deps(deps.engine, **LIVE)


def call(deps, hook="signup", errors=None, address="ana.silva@resend.dev"):
    errors = errors or {"first_name": ["Missing data for required field."]}
    return refuse(deps, campaign="christmas", hook=hook, payload={"email": address}, errors=errors)


def test_refused_calls_are_told_once_a_hook_with_their_number_and_reason(live):
    for _ in range(3):
        call(live)
    call(live, "booking", NO_TIME)
    title = "🔴 Incoming calls could not be used"
    assert run_tasks(live, minutes=1) == [
        f"{title} (Booking for “Christmas Surge”): 1 call refused: meeting_time: Not a valid datetime",
        f"{title} (Sign-up for “Christmas Surge”): 3 calls refused: first_name: Missing data for required field",
    ]
    assert len(run_tasks(live, minutes=20)) == 2


@pytest.mark.both_databases
def test_what_follows_is_counted_and_told_when_no_more_comes(live):
    call(live)
    run_tasks(live, minutes=1)
    for _ in range(4):
        live.now.forward(minutes=40)
        call(live)
        run_tasks(live, minutes=1)
    (over,) = run_tasks(live, hours=1, minutes=3)[1:]
    reason = "first_name: Missing data for required field"
    assert over == (
        f"🟢 Over: Incoming calls could not be used (Sign-up for “Christmas Surge”): 5 calls refused: {reason}; "
        "none in the last 60 min"
    )


def test_the_doctor_finds_them_until_they_are_replayed(live):
    assert next(refused(live)).status == "ok"
    waiting = call(live, errors={"email": ["ana.silva@resend.dev is not allowed."]})
    live.now.forward(days=3)
    (check,) = refused(live)
    assert check.status == "warning" and "1 call refused: email: ana.silva@resend.dev is not allowed" in check.detail
    assert "a***@resend.dev" in next(each.detail for each in examine(live) if each.name == "refused calls")
    mark_replayed(live.sessions, waiting, "another")
    assert next(refused(live)).status == "ok"


@pytest.mark.both_databases
def test_a_sender_that_fills_its_room_is_told_by_itself_and_no_other_is(live, monkeypatch):
    monkeypatch.setattr(keep_refused, "BUDGET_BYTES", 9_000)
    call(live, "booking", NO_TIME)
    for n in range(3):
        call(live, address=f"lead{n}@resend.dev")
    title = "Incoming calls are counted and not kept"
    assert not [told for told in run_tasks(live, minutes=1) if title in told], "there is room yet"
    for n in range(3, 9):
        call(live, address=f"lead{n}@resend.dev")
    told = [each for each in run_tasks(live, minutes=2) if title in each]
    number = "5 calls from website since 07:01 not kept"
    assert [each.split(". Stop")[0] for each in told] == [f"🔴 {title} (Sign-up for “Christmas Surge”): {number}"]
    over = [each for each in run_tasks(live, hours=1, minutes=3) if title in each][-1]
    assert over.startswith(f"🟢 Over: {title} (Sign-up for “Christmas Surge”)")


def test_the_digest_counts_those_of_its_day(live):
    call(live)
    live.now.at = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
    call(live)
    assert digest_when_due(live)
    notify(live)
    text = live.alerts.posted[-1][1]
    assert "⚠️ Tuesday 24 November: 0 due" in text and text.endswith(
        "; 1 call could not be used and waits for a correction"
    )
