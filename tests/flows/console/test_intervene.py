"""Intervene: a person settles what the funnel may not decide by itself, and nothing goes twice by it."""

from uuid import uuid4

import pytest
from sqlalchemy import update

from funnel_app.campaigns.states import State
from funnel_app.flows.console.intervene import NotPossible, cancel, release, resolve, retry
from funnel_app.flows.intake.end import end_all
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.submit import repeat
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger import contacts, enrolments
from funnel_app.ledger.models import Email, Enrolment
from tests.flows.leads import WorkerDied, die, email_ids, look, opt_in, request_of, states, write_templates

OTHER = Answer(AnswerKind.CONFLICT, detail="409 invalid_idempotent_request: another payload")
REFUSED = Answer(AnswerKind.INVALID, detail="422 validation_error: the address is not one")
QUOTA = Answer(AnswerKind.QUOTA, detail="429 daily_quota_exceeded: used up", retry_after=7200.0)


def first_after(deps, answer, address="ana@resend.dev"):
    deps.mailer.script = [answer]
    first = email_ids(opt_in(deps, address))[0]
    deliver(deps, [first])
    deps.queues.queued.clear()
    return first


@pytest.mark.both_databases
def test_a_held_email_is_released_and_held_again_where_nothing_was_fixed(deps):
    first = email_ids(opt_in(deps))[0]
    deliver(deps, [first])
    release(deps, first)
    assert (look(deps, first).state, deps.queues.emails()[-1]) == ("planned", first)
    deliver(deps, [first])
    assert look(deps, first).state == "held"
    write_templates(deps)
    deps.now.forward(minutes=2)
    release(deps, first)
    deliver(deps, [first])
    assert look(deps, first).state == "sent"


def test_a_cancelled_email_is_not_sent_and_those_behind_it_go_on(ready):
    receipt = opt_in(ready)
    cancel(ready, email_ids(receipt)[0])
    ready.now.forward(minutes=1)
    for email_id in email_ids(receipt)[:2]:
        deliver(ready, [email_id])
    assert states(ready, receipt)[:3] == ["cancelled", "sent", "planned"]
    assert look(ready, email_ids(receipt)[0]).reason == "withdrawn by a person"


def test_a_failed_email_is_sent_again_under_a_key_of_its_own(ready):
    first = first_after(ready, REFUSED)
    retry(ready, first)
    assert ready.queues.emails() == [first]
    deliver(ready, [first])
    assert look(ready, first).state == "sent"
    assert [key for key, _ in ready.mailer.calls] == [f"email-{first}-1", f"email-{first}-2"]
    assert ready.mailer.sent_to() == ["ana@resend.dev"]


@pytest.mark.both_databases
def test_a_finished_sequence_is_taken_up_again_for_a_retry(ready):
    first = first_after(ready, REFUSED)
    with ready.sessions.begin() as session:
        session.execute(update(Email).where(Email.id != first).values(state=State.DELIVERED))
    assert sweep(ready).completed == 1
    retry(ready, first)
    with ready.reads() as session:
        assert session.query(Enrolment).one().state == "active"
    deliver(ready, [first])
    assert look(ready, first).state == "sent"


def test_an_ended_sequence_is_not_taken_up_again(ready):
    first = first_after(ready, REFUSED)
    with ready.sessions.begin() as session:
        contact_id = look(ready, first).enrolment.contact_id
        contacts.lock(session, [contact_id])
        end_all(session, enrolments.running(session, contact_id), "booked a call on 3 December", ready.now())
    with pytest.raises(NotPossible, match="Its sequence has ended: booked a call on 3 December"):
        retry(ready, first)


@pytest.mark.both_databases
def test_an_email_that_waits_for_a_quota_is_tried_now_with_the_same_key(ready):
    first = first_after(ready, QUOTA)
    ready.pause.clear()
    retry(ready, first)
    assert ready.queues.requests() == [request_of(ready, first).id]
    repeat(ready, request_of(ready, first).id)
    assert look(ready, first).state == "sent"
    assert {key for key, _ in ready.mailer.calls} == {f"email-{first}-1"}


def test_an_email_that_is_in_a_workers_hands_is_left_alone(ready, monkeypatch):
    first = email_ids(opt_in(ready))[0]
    monkeypatch.setattr("funnel_app.flows.sending.deliver.submit", die)
    with pytest.raises(WorkerDied):
        deliver(ready, [first])
    with pytest.raises(NotPossible, match="at this moment"):
        retry(ready, first)


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        ("delivered", "delivered", "it arrived, as found by a person"),
        ("failed", "failed", "it did not arrive, as found by a person"),
    ],
)
def test_an_ambiguous_email_is_settled_by_a_person(ready, outcome, state, reason):
    first = first_after(ready, OTHER)
    resolve(ready, first, outcome)
    assert (look(ready, first).state, look(ready, first).reason) == (state, reason)
    assert request_of(ready, first).state == "refused"
    ready.now.forward(hours=2)
    assert sweep(ready).repeated == 0


@pytest.mark.both_databases
def test_one_that_never_went_out_is_sent_again(ready):
    first = first_after(ready, OTHER)
    old = request_of(ready, first).id
    resolve(ready, first, "not-sent")
    deliver(ready, [first])
    repeat(ready, old)
    assert look(ready, first).state == "sent"
    assert ready.mailer.sent_to() == ["ana@resend.dev"]


def test_one_of_a_batch_in_doubt_is_settled_alone(ready):
    ready.mailer.script = [OTHER]
    batch = [email_ids(opt_in(ready, f"lead{n}@resend.dev"))[0] for n in range(2)]
    deliver(ready, batch)
    resolve(ready, batch[0], "delivered")
    assert request_of(ready, batch[1]).state == "open"
    assert look(ready, batch[1]).state == "ambiguous"
    resolve(ready, batch[1], "failed")
    assert request_of(ready, batch[1]).state == "refused"


def test_what_resend_took_certainly_went_out(ready):
    first = email_ids(opt_in(ready))[0]
    deliver(ready, [first])
    with pytest.raises(NotPossible, match="This email is sent; only one that is ambiguous"):
        resolve(ready, first, "not-sent")
    resolve(ready, first, "delivered")
    assert look(ready, first).state == "delivered"


@pytest.mark.parametrize("action", [release, retry, lambda deps, each: resolve(deps, each, "delivered")])
def test_what_does_not_fit_the_state_is_refused_with_the_reason(ready, action):
    first = email_ids(opt_in(ready))[0]
    with pytest.raises(NotPossible, match="This email is planned; only one that is"):
        action(ready, first)


def test_an_email_that_is_not_there_is_said(ready):
    with pytest.raises(NotPossible, match="There is no email"):
        cancel(ready, uuid4())
