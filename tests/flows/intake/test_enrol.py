"""Enrol: one call becomes a contact, an enrolment and all its emails, or a named reason why not."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.ledger.models import Contact, Email, Enrolment, HookEvent
from tests.factories import make_deps
from tests.flows.leads import assess, call, count, email_ids, look, opt_in, states


def test_opt_in_plans_five_emails_a_day_apart_and_arms_them(deps):
    receipt = opt_in(deps)
    due = [look(deps, email_id).due_at - deps.now() for email_id in email_ids(receipt)]
    assert receipt.http_status == 202
    assert due == [timedelta(minutes=n) for n in range(5)]
    assert deps.queues.emails() == email_ids(receipt)[:1]
    assert set(deps.queues.clock) == set(email_ids(receipt)[1:])


def test_live_mode_counts_in_days(sqlite):
    deps = make_deps(sqlite, testing_mode=False)
    due = [look(deps, email_id).due_at - deps.now() for email_id in email_ids(opt_in(deps))]
    assert due == [timedelta(days=n) for n in range(5)]


def test_a_step_beyond_the_horizon_is_left_to_the_sweep(sqlite):
    deps = make_deps(sqlite, testing_mode=False, schedule_horizon=timedelta(days=2))
    receipt = opt_in(deps)
    assert set(deps.queues.clock) == set(email_ids(receipt)[1:3])


def test_redis_away_does_not_stop_a_hook(deps):
    deps.queues.away = True
    assert opt_in(deps).status == "accepted"
    assert count(deps, Email) == 5


@pytest.mark.both_databases
def test_a_repeated_call_updates_the_contact_and_starts_nothing(deps):
    first = opt_in(deps)
    again = enrol(deps, call(contact={"first_name": "Anna"}))
    assert (again.status, again.http_status) == ("duplicate", 200)
    assert again.enrolment_id == first.enrolment_id and len(again.emails) == 5
    assert count(deps, Email) == 5
    with deps.reads() as session:
        assert session.scalars(select(Contact.first_name)).all() == ["Anna"]


@pytest.mark.both_databases
def test_racing_calls_of_one_lead_start_one_sequence(deps):
    with ThreadPoolExecutor(8) as callers:
        receipts = list(callers.map(lambda _: opt_in(deps), range(16)))
    assert sorted(r.status for r in receipts) == ["accepted"] + ["duplicate"] * 15
    assert (count(deps, Contact), count(deps, Enrolment), count(deps, Email)) == (1, 1, 5)


def test_an_assessment_ends_lead_nurture(deps):
    before = opt_in(deps)
    receipt = assess(deps)
    assert receipt.ended == [{"sequence": "lead_nurture", "reason": "took the assessment on 24 November"}]
    assert states(deps, before) == ["cancelled"] * 5
    assert states(deps, receipt) == ["planned"] * 5


def test_an_opt_in_after_an_assessment_is_ignored_with_the_reason(deps):
    assess(deps)
    receipt = opt_in(deps)
    assert (receipt.status, receipt.http_status, receipt.enrolment_id) == ("ignored", 200, None)
    assert (
        receipt.reason
        == "“Nurture for new opt-ins” does not start: the contact already took the assessment on 24 November"
    )


def test_email_1_that_the_website_sent_is_skipped_and_the_others_count_from_it(deps):
    sent_at = deps.now() - timedelta(seconds=30)
    receipt = assess(deps, sent_at=sent_at)
    found = [look(deps, email_id) for email_id in email_ids(receipt)]
    assert (found[0].state, found[0].reason) == ("skipped", "sent by the website")
    assert [email.due_at - sent_at for email in found[1:]] == [timedelta(minutes=n) for n in range(1, 5)]


def test_email_1_that_the_website_failed_to_send_goes_at_once(deps):
    receipt = assess(deps, sent_at=deps.now(), status="failed")
    first = look(deps, email_ids(receipt)[0])
    assert (first.state, first.due_at) == ("planned", deps.now())


def test_an_email_1_time_in_the_future_does_not_delay_the_others(deps):
    receipt = assess(deps, sent_at=deps.now() + timedelta(days=3))
    assert look(deps, email_ids(receipt)[1]).due_at == deps.now() + timedelta(minutes=1)


def test_the_answer_is_kept_with_the_hook(deps):
    receipt = opt_in(deps)
    with deps.reads() as session:
        kept = session.scalars(select(HookEvent)).one()
    assert (kept.answer_status, kept.answer) == (202, receipt.as_json())


def test_an_event_that_starts_nothing_is_recorded_once(deps):
    told = call(event=Event.BOOKING_RESCHEDULED, occurrence="event-1")
    assert [enrol(deps, told).status for _ in range(2)] == ["accepted", "duplicate"]
