"""Sweep: whatever Redis, a crash or an outage lost is found in the ledger and set going again."""

from dataclasses import asdict
from datetime import timedelta

from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger.models import Enrolment
from tests.factories import make_deps
from tests.flows.leads import email_ids, look, opt_in, request_of, states
from tests.flows.sending.test_record_event import report


def forget(deps):
    """Lose all that Redis held."""
    deps.queues.queued.clear()
    deps.queues.clock.clear()
    deps.queues.has_marker = False


def test_a_flushed_redis_is_filled_again_from_the_ledger(ready):
    ids = email_ids(opt_in(ready))
    forget(ready)
    ready.now.forward(seconds=3)
    swept = sweep(ready)
    assert (swept.overdue, swept.scheduled) == (1, 4)
    assert ready.queues.emails() == ids[:1]
    assert set(ready.queues.clock) == set(ids[1:])
    assert ready.queues.clock[ids[1]] == look(ready, ids[1]).due_at


def test_where_nothing_is_lost_nothing_is_done(ready):
    deliver(ready, email_ids(opt_in(ready))[:1])
    swept = asdict(sweep(ready))
    assert swept.pop("broken") == {}
    assert set(swept.values()) == {0}


def test_an_email_on_time_is_left_to_its_own_job(ready):
    ready.queues.mark()
    opt_in(ready)
    ready.now.forward(seconds=1)
    assert sweep(ready).overdue == 0


def test_what_is_just_due_goes_at_once_where_redis_lost_it(ready):
    first = email_ids(opt_in(ready))[0]
    forget(ready)
    ready.now.forward(seconds=1)
    assert sweep(ready).overdue == 1 and ready.queues.emails() == [first]
    assert ready.queues.marked()


def test_a_step_that_waits_for_its_predecessor_is_not_pushed(ready):
    opt_in(ready)
    forget(ready)
    ready.now.forward(minutes=3)
    assert sweep(ready).overdue == 1


def test_an_email_claimed_by_a_worker_that_died_is_given_back(ready, monkeypatch):
    first = email_ids(opt_in(ready))[0]
    monkeypatch.setattr("funnel_app.flows.sending.deliver._compose_each", lambda *_: {})
    deliver(ready, [first])
    assert look(ready, first).state == "sending"
    ready.now.forward(seconds=14)
    assert sweep(ready).requeued == 0, "its lease still holds"
    ready.now.forward(seconds=2)
    ready.queues.queued.clear()
    swept = sweep(ready)
    assert (swept.requeued, swept.overdue) == (1, 1), "it goes with this sweep, not with the next"
    back = look(ready, first)
    assert (back.state, back.reason) == ("planned", "requeued: the worker that claimed it died")
    assert back.lease_token is None


def test_an_open_request_is_repeated_when_its_time_has_come(ready):
    ready.mailer.script = [Answer(AnswerKind.RATE_LIMITED, detail="429", retry_after=3.0)]
    first = email_ids(opt_in(ready))[0]
    deliver(ready, [first])
    forget(ready)
    ready.now.forward(seconds=2)
    assert sweep(ready).repeated == 0
    ready.now.forward(seconds=2)
    assert sweep(ready).repeated == 1
    assert ready.queues.requests() == [request_of(ready, first).id]


def test_nothing_is_pushed_while_sending_is_paused(ready):
    opt_in(ready)
    forget(ready)
    ready.now.forward(seconds=10)
    ready.pause.pause("the key is wrong", 60, "config")
    swept = sweep(ready)
    assert (swept.overdue, swept.repeated) == (0, 0)
    ready.now.forward(seconds=61)
    assert sweep(ready).overdue == 1, "when the pause is over somebody must probe"


def test_held_emails_are_rechecked_by_one_job(deps):
    for address in ("ana@resend.dev", "bea@resend.dev"):
        deliver(deps, email_ids(opt_in(deps, address))[:1])
    forget(deps)
    assert sweep(deps).held == 0, "not yet"
    deps.now.forward(seconds=16)
    assert sweep(deps).held == 1
    assert any(name.startswith("recheck") for name in deps.queues.queued)


def test_an_enrolment_ends_when_its_last_email_is_confirmed(ready):
    receipt = opt_in(ready)
    for email_id in email_ids(receipt):
        deliver(ready, [email_id])
        assert sweep(ready).completed == 0
        record_event(ready, report(ready, email_id))
        ready.now.forward(minutes=1)
    assert states(ready, receipt) == ["delivered"] * 5
    assert sweep(ready).completed == 1
    with ready.reads() as session:
        enrolment = session.get(Enrolment, receipt.enrolment_id)
    assert (enrolment.state, enrolment.ended_at) == ("completed", ready.now())


def test_a_process_in_testing_mode_pushes_no_live_email(sqlite):
    live, testing = make_deps(sqlite, testing_mode=False), make_deps(sqlite)
    opt_in(live)
    testing.now.forward(seconds=10)
    assert sweep(testing).overdue == 0


def test_only_what_is_due_within_the_horizon_is_scheduled(sqlite):
    deps = make_deps(sqlite, testing_mode=False, schedule_horizon=timedelta(days=2))
    ids = email_ids(opt_in(deps))
    forget(deps)
    assert sweep(deps).scheduled == 2
    deps.now.forward(days=1)
    assert sweep(deps).scheduled == 1
    assert set(deps.queues.clock) == set(ids[1:4])
