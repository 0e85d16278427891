"""Stats: planned is delivered, stopped and open together, and nothing is left unexplained or sent twice."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.monitoring.statistics.stats import ledger_stats
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.reconcile import reconcile
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger.models import Email, Enrolment
from tests.flows.leads import call, email_ids, opt_in
from tests.flows.sending.test_record_event import report


def deliver_first(deps, address="ana@resend.dev"):
    first = email_ids(opt_in(deps, address))[0]
    deliver(deps, [first])
    return first


def test_an_empty_ledger(ready):
    assert ledger_stats(ready) == {
        "planned": 0,
        "delivered": 0,
        "stopped": {},
        "open": 0,
        "unexplained": 0,
        "duplicates": 0,
    }


def test_planned_is_the_sum_of_delivered_stopped_and_open(ready):
    record_event(ready, report(ready, deliver_first(ready)))
    bounced = deliver_first(ready, "bea@resend.dev")
    record_event(ready, report(ready, bounced, "email.bounced", detail="mailbox does not exist"))
    opt_in(ready, "cleo@resend.dev")
    enrol(ready, call("cleo@resend.dev", Event.BOOKING, occurrence="x", call_at=ready.now() + timedelta(hours=1)))
    found = ledger_stats(ready)
    assert found == {
        "planned": 18,
        "delivered": 1,
        "stopped": {
            "cancelled: booked a call": 5,
            "cancelled: the address bounced": 4,
            "bounced: mailbox does not exist": 1,
        },
        "open": 7,
        "unexplained": 0,
        "duplicates": 0,
    }
    assert found["planned"] == found["delivered"] + sum(found["stopped"].values()) + found["open"]


@pytest.mark.both_databases
def test_what_a_canary_sends_is_no_figure(ready):
    opt_in(ready)
    with ready.sessions.begin() as session:
        session.execute(update(Enrolment).values(mode="canary"))
    assert ledger_stats(ready)["planned"] == 0


@pytest.mark.both_databases
def test_a_stop_without_a_reason_is_unexplained(ready):
    first = deliver_first(ready)
    with ready.sessions.begin() as session:
        session.execute(update(Email).where(Email.id == first).values(state="failed", reason=None))
    found = ledger_stats(ready)
    assert (found["unexplained"], found["stopped"]) == (1, {"failed": 1})


def test_what_stands_still_is_unexplained_unless_something_says_why(ready):
    opt_in(ready)
    ready.now.forward(minutes=2)
    assert ledger_stats(ready)["unexplained"] == 1
    ready.pause.pause("429 daily_quota_exceeded", 3600, "quota")
    assert ledger_stats(ready)["unexplained"] == 0, "a pause says why"


@pytest.mark.both_databases
def test_a_request_without_an_answer_is_explained_by_resends_last_words(ready):
    ready.mailer.script = [Answer(AnswerKind.RATE_LIMITED, detail="429 rate_limit_exceeded", retry_after=3.0)]
    deliver_first(ready)
    ready.now.forward(minutes=3)
    ready.pause.clear()
    with ready.sessions.begin() as session:
        session.execute(update(Email).where(Email.step > 1).values(due_at=ready.now()))
    assert ledger_stats(ready)["unexplained"] == 0


def test_an_email_without_proof_is_explained_once_resend_was_asked(ready):
    deliver_first(ready)
    ready.now.forward(minutes=16)
    ready.pause.pause("so that nothing else is due", 3600, "quota")
    assert ledger_stats(ready)["unexplained"] == 1
    ready.mailer.last_events = {"resend-0-0": "sent"}
    reconcile(ready)
    assert ledger_stats(ready)["unexplained"] == 0


def test_where_redis_is_away_that_explains_what_waits(ready, monkeypatch):
    def away():
        raise Unavailable("redis", "connection refused")

    opt_in(ready)
    ready.now.forward(minutes=2)
    monkeypatch.setattr(ready.pause, "current", away)
    assert ledger_stats(ready)["unexplained"] == 0


def test_an_email_that_resend_knows_by_two_ids_went_twice(ready):
    first = deliver_first(ready)
    record_event(ready, report(ready, first, resend_id="resend-0-0"))
    assert ledger_stats(ready)["duplicates"] == 0
    record_event(ready, report(ready, first, resend_id="resend-again"))
    assert ledger_stats(ready)["duplicates"] == 1


def test_an_answer_with_another_id_than_the_event_told_is_a_copy(ready):
    first = email_ids(opt_in(ready))[0]
    ready.mailer.script = [lambda: record_event(ready, report(ready, first, resend_id="another"))]
    deliver(ready, [first])
    assert ledger_stats(ready)["duplicates"] == 1
