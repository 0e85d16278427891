"""Invariants: each is 0 where all is well, counts what breaks it, and is fixed by the sweep where it can be."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, update

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.flows.console.intervene import resolve
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.monitoring.alerts.invariants import INVARIANTS, count_invariants
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger.models import Email, EmailEvent, Enrolment, Message
from tests.factories import make_deps
from tests.flows.leads import call, email_ids, look, opt_in, states
from tests.flows.sending.test_record_event import report

ALL_WELL = dict.fromkeys(INVARIANTS, 0)


def broken(deps) -> dict[str, int]:
    return {name: count for name, count in count_invariants(deps).items() if count}


def put(deps, email_id, **values):
    with deps.sessions.begin() as session:
        session.execute(update(Email).where(Email.id == email_id).values(**values))


def test_where_all_is_well_each_is_nought(ready):
    assert count_invariants(ready) == ALL_WELL
    receipt = opt_in(ready)
    for email_id in email_ids(receipt):
        deliver(ready, [email_id])
        record_event(ready, report(ready, email_id))
        ready.now.forward(minutes=1)
    assert count_invariants(ready) == ALL_WELL


def test_overdue_counts_what_is_due_for_over_a_minute_but_not_what_waits_for_its_predecessor(ready):
    opt_in(ready)
    ready.now.forward(seconds=60)
    assert broken(ready) == {"overdue": 1}
    ready.now.forward(minutes=10)
    assert broken(ready) == {"overdue": 1}
    ready.queues.queued.clear()
    assert sweep(ready).overdue == 1


@pytest.mark.both_databases
def test_what_a_person_sends_again_is_overdue_a_minute_after_they_asked(ready):
    first = email_ids(opt_in(ready))[0]
    ready.mailer.script = [Answer(AnswerKind.CONFLICT, detail="409")]
    deliver(ready, [first])
    ready.now.forward(minutes=20)
    resolve(ready, first, "not-sent")
    assert broken(ready) == {}, "it goes in this second"
    ready.now.forward(seconds=60)
    assert broken(ready) == {"overdue": 1}


@pytest.mark.both_databases
def test_stuck_counts_what_is_on_its_way_for_over_two_minutes(ready, monkeypatch):
    first = email_ids(opt_in(ready))[0]
    monkeypatch.setattr("funnel_app.flows.sending.deliver._compose_each", lambda *_: {})
    deliver(ready, [first])
    ready.now.forward(minutes=2)
    assert broken(ready) == {}
    ready.now.forward(seconds=1)
    assert broken(ready) == {"stuck": 1}
    assert sweep(ready).requeued == 1
    assert "stuck" not in broken(ready)


def test_unproven_counts_what_resend_took_over_15_minutes_ago(ready):
    first = email_ids(opt_in(ready))[0]
    deliver(ready, [first])
    put(ready, first, sent_at=ready.now() - timedelta(minutes=15))
    assert broken(ready) == {}
    ready.now.forward(seconds=1)
    assert broken(ready) == {"unproven": 1}
    assert sweep(ready).asked == 1
    record_event(ready, report(ready, first))
    assert broken(ready) == {}


@pytest.mark.parametrize("state", [State.HELD, State.AMBIGUOUS])
def test_held_and_ambiguous_are_counted_at_once(ready, state):
    put(ready, email_ids(opt_in(ready))[0], state=state)
    assert broken(ready) == {state.value: 1}


def test_a_sequence_that_gains_a_step_in_its_file_is_filled_up(ready):
    receipt = opt_in(ready)
    fifth = email_ids(receipt)[4]
    due = look(ready, fifth).due_at
    with ready.sessions.begin() as session:
        session.execute(delete(EmailEvent).where(EmailEvent.email_id == fifth))
        session.execute(delete(Email).where(Email.id == fifth))
    assert broken(ready) == {"incomplete": 1}
    assert sweep(ready).filled == 1
    assert broken(ready) == {}
    with ready.reads() as session:
        new = session.query(Email).filter(Email.step == 5).one()
    assert (new.state, new.due_at, new.template_key) == ("planned", due, "lead_nurture_email_5")
    assert sweep(ready).filled == 0


def test_a_new_step_is_as_late_as_those_before_it(ready):
    receipt = opt_in(ready)
    ready.now.forward(minutes=10)
    deliver(ready, email_ids(receipt)[:1])
    fifth = email_ids(receipt)[4]
    due = look(ready, fifth).due_at
    with ready.sessions.begin() as session:
        session.execute(delete(EmailEvent).where(EmailEvent.email_id == fifth))
        session.execute(delete(Email).where(Email.id == fifth))
    sweep(ready)
    with ready.reads() as session:
        assert session.query(Email).filter(Email.step == 5).one().due_at == due


@pytest.mark.both_databases
def test_a_new_reminder_keeps_to_the_call(ready):
    at = ready.now() + timedelta(days=10)
    receipt = enrol(ready, call(event=Event.BOOKING, occurrence="a-call", call_at=at))
    third = email_ids(receipt)[2]
    due = look(ready, third).due_at
    with ready.sessions.begin() as session:
        session.execute(delete(EmailEvent).where(EmailEvent.email_id == third))
        session.execute(delete(Email).where(Email.id == third))
    assert sweep(ready).filled == 1
    with ready.reads() as session:
        new = session.query(Email).filter(Email.step == 3).one()
    assert (new.due_at, new.latest_at) == (due, at)


@pytest.mark.both_databases
def test_the_mirror_is_behind_only_where_there_is_one(ready):
    opt_in(ready)
    with ready.sessions.begin() as session:
        session.execute(update(Enrolment).values(mirror_stale_since=ready.now() - timedelta(minutes=6)))
    assert "mirror_behind" not in broken(ready)
    settings = replace(ready.settings, notion_sequences_db_id="5a2b0d00-0000-4000-8000-000000000003")
    assert broken(replace(ready, settings=settings))["mirror_behind"] == 1


def test_a_report_for_an_email_that_is_not_there_is_an_orphan_for_a_day_and_a_strangers_is_none(ready):
    record_event(ready, report(ready, None, resend_id="the-websites"))
    assert broken(ready) == {}
    record_event(ready, report(ready, uuid4(), resend_id="ours"))
    assert broken(ready) == {"orphans": 1}
    ready.now.forward(days=1, seconds=1)
    assert broken(ready) == {}


@pytest.mark.both_databases
def test_an_orphan_is_fitted_to_its_email_once_that_is_known(ready):
    record_event(ready, report(ready, None, resend_id="resend-0-0"))
    first = email_ids(opt_in(ready))[0]
    deliver(ready, [first])
    assert look(ready, first).state == "sent"
    assert sweep(ready).adopted == 1
    assert look(ready, first).state == "delivered"
    assert sweep(ready).adopted == 0


def test_live_emails_are_not_overdue_in_testing_mode(sqlite):
    live, testing = make_deps(sqlite, testing_mode=False), make_deps(sqlite)
    receipt = opt_in(live)
    testing.now.forward(minutes=5)
    assert broken(testing) == {} and set(states(live, receipt)) == {"planned"}


@pytest.mark.both_databases
def test_bodies_are_removed_30_days_after_the_end(ready):
    receipt = opt_in(ready)
    for email_id in email_ids(receipt):
        deliver(ready, [email_id])
        record_event(ready, report(ready, email_id))
        ready.now.forward(minutes=1)
    sweep(ready)
    ready.now.forward(days=30)
    assert sweep(ready).emptied == 0
    ready.now.forward(minutes=1)
    assert sweep(ready).emptied == 5
    assert sweep(ready).emptied == 0
    with ready.reads() as session:
        assert {(m.html, m.text, bool(m.subject)) for m in session.query(Message)} == {(None, None, True)}
