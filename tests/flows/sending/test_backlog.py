"""Backlog: what is due goes one by one while it is little, and a hundred at a time while it is much."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest
from sqlalchemy import event

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.privacy.unsubscribe import unsubscribe
from funnel_app.flows.sending import backlog as backlog_flow
from funnel_app.flows.sending import deliver as deliver_flow
from funnel_app.flows.sending.backlog import GATHERS_FOR_S, deliver_due
from funnel_app.flows.sending.deliver import Outcome, deliver
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger import batches, emails
from funnel_app.ledger.database import driver
from funnel_app.ledger.models.types import new_id
from tests.fakes import FakeMailer
from tests.flows.leads import call, email_ids, look, opt_in, read_templates


def leads(deps, count: int) -> list:
    return [email_ids(opt_in(deps, f"lead{n}@resend.dev"))[0] for n in range(count)]


def sizes(deps) -> list[int]:
    return [len(payloads) for _, payloads in deps.mailer.calls]


def test_few_go_one_by_one(ready):
    due = leads(ready, 4)
    for email_id in due:
        assert deliver_due(ready, email_id) is Outcome.SUBMITTED
    assert sizes(ready) == [1] * 4


def test_more_than_two_seconds_of_the_rate_go_together_and_their_jobs_are_taken_off(ready):
    due = leads(ready, 5)
    assert deliver_due(ready, due[2]) is Outcome.SUBMITTED
    assert sizes(ready) == [5] and {look(ready, each).state for each in due} == {"sent"}
    assert ready.queues.queued == []


def test_ten_are_a_backlog_at_any_rate(ready):
    ready.rate.allowed = 100.0
    due = leads(ready, 11)
    deliver_due(ready, due[0])
    assert sizes(ready) == [11]


def test_a_job_goes_on_while_there_is_a_backlog_and_takes_so_many_at_most(ready, monkeypatch):
    assert deliver_flow.LARGEST_BATCH == 100, "Resend takes no more in one call"
    monkeypatch.setattr(deliver_flow, "LARGEST_BATCH", 20)
    due = leads(ready, 43)
    deliver_due(ready, due[0])
    assert sizes(ready) == [20, 20], "three are no backlog: their own jobs send them"
    assert Counter(ready.mailer.sent_to()) == Counter(set(ready.mailer.sent_to()))


def test_what_comes_while_a_batch_goes_is_gathered_for_a_moment(ready):
    due, slept = leads(ready, 5), []

    def come(seconds: float) -> None:
        slept.append(seconds)
        for number in range(6 if len(slept) == 1 else 0):
            opt_in(ready, f"later{number}@resend.dev")

    deliver_due(replace(ready, sleep=come), due[0])
    assert sizes(ready) == [5, 6] and slept == [GATHERS_FOR_S] * 2


def test_an_email_by_itself_and_a_full_batch_wait_for_nobody(ready, monkeypatch):
    slept = []
    waiting = replace(ready, sleep=slept.append)
    for email_id in leads(ready, 4):
        deliver_due(waiting, email_id)
    monkeypatch.setattr(deliver_flow, "LARGEST_BATCH", 6)
    monkeypatch.setattr(backlog_flow, "LARGEST_BATCH", 6)
    first, *_ = [email_ids(opt_in(ready, f"more{n}@resend.dev"))[0] for n in range(12)]
    deliver_due(waiting, first)
    assert sizes(ready) == [1] * 4 + [6, 6] and slept == []


def test_a_job_whose_email_has_gone_takes_the_next_of_a_backlog(ready):
    """In a long backlog thousands of such jobs came, each for nothing, and took half of the workers' time."""
    first, *others = leads(ready, 7)
    deliver(ready, [first])
    assert deliver_due(ready, first) is Outcome.SUBMITTED
    assert sizes(ready) == [1, 6] and {look(ready, each).state for each in others} == {"sent"}


def test_a_job_whose_email_has_gone_does_nothing_where_there_is_no_backlog(ready):
    first, other = leads(ready, 2)
    deliver(ready, [first])
    assert deliver_due(ready, first) is Outcome.NOTHING_TO_DO
    assert sizes(ready) == [1] and look(ready, other).state == "planned"


def test_a_batch_is_full_though_another_worker_claims_what_this_one_had_looked_at(ready, monkeypatch):
    due = leads(ready, 32)
    monkeypatch.setattr(deliver_flow, "LARGEST_BATCH", 20)
    gather = deliver_flow.gather

    def gather_while_another_claims(deps, wanted):
        monkeypatch.setattr(deliver_flow, "gather", gather)
        with deps.sessions.begin() as session:
            batches.claim(session, due[:12], claim_by(deps))
        return gather(deps, wanted)

    monkeypatch.setattr(deliver_flow, "gather", gather_while_another_claims)
    deliver_due(ready, due[0])
    assert sizes(ready) == [20]
    assert {look(ready, each).state for each in due[12:]} == {"sent"}


def claim_by(deps) -> batches.Claim:
    now = deps.now()
    return batches.Claim(token=new_id(), now=now, until=now + timedelta(seconds=15), modes=("test",), most=100)


def test_a_batch_takes_three_transactions_and_no_more_statements_than_a_small_one(ready):
    def cost(count: int) -> tuple[int, int]:
        due = [email_ids(opt_in(ready, f"lead{count}-{n}@resend.dev"))[0] for n in range(count)]
        with counted(ready) as seen:
            assert deliver(ready, due) is Outcome.SUBMITTED
        return seen["transactions"], seen["statements"]

    cost(2)
    few, many = cost(5), cost(20)
    assert few[0] == many[0] == 3
    assert few[1] == many[1] <= 40


@contextmanager
def counted(deps) -> Iterator[Counter]:
    """Count the writing transactions and all statements of a block; many rows by one statement are one."""
    seen: Counter[str] = Counter()

    def begun(session, transaction, connection):
        seen["transactions"] += 1

    def executed(*_):
        seen["statements"] += 1

    event.listen(deps.sessions, "after_begin", begun)
    event.listen(deps.engine, "before_cursor_execute", executed)
    try:
        with (
            patch.object(driver, "ask", wraps=driver.ask) as asked,
            patch.object(driver, "write", wraps=driver.write) as put,
        ):
            yield seen
        seen["statements"] += asked.call_count + put.call_count
    finally:
        event.remove(deps.sessions, "after_begin", begun)
        event.remove(deps.engine, "before_cursor_execute", executed)


def test_a_job_ends_after_a_while_though_more_is_due(ready, monkeypatch):
    due = leads(ready, 30)
    monkeypatch.setattr(deliver_flow, "LARGEST_BATCH", 20)
    monkeypatch.setattr(ready.rate, "wait", lambda caller: ready.now.forward(seconds=25) or 0.0)
    deliver_due(ready, due[0])
    assert sizes(ready) == [20]


@pytest.mark.both_databases
def test_racing_jobs_of_a_backlog_send_each_letter_once(ready):
    read_templates(ready)
    due = leads(ready, 12)
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda email_id: deliver_due(ready, email_id), due * 2))
    assert Counter(ready.mailer.sent_to()) == {f"lead{n}@resend.dev": 1 for n in range(12)}


@pytest.mark.both_databases
def test_an_email_whose_sequence_ended_while_its_batch_was_refused_goes_no_more(ready, monkeypatch):
    due = leads(ready, 3)

    def refuse_while_a_lead_leaves(*_):
        unsubscribe(ready, look(ready, due[0]).enrolment.contact.unsubscribe_token)
        return Answer(AnswerKind.INVALID, detail="422 validation_error: too odd")

    monkeypatch.setattr(FakeMailer, "send", refuse_while_a_lead_leaves)
    deliver(ready, due)
    gone = look(ready, due[0])
    assert (gone.state, gone.reason) == ("cancelled", gone.enrolment.exit_reason)
    assert {look(ready, each).state for each in due[1:]} == {"planned"}


def test_an_email_whose_batch_was_refused_goes_by_itself(ready):
    due = leads(ready, 5)
    ready.mailer.script = [Answer(AnswerKind.INVALID, detail="422 validation_error: too odd")]
    deliver_due(ready, due[0])
    assert {look(ready, each).state for each in due} == {"planned"}
    for email_id in due:
        deliver_due(ready, email_id)
    assert sizes(ready) == [5, 1, 1, 1, 1, 1] and {look(ready, each).state for each in due} == {"sent"}


def test_what_a_person_waits_for_goes_first_and_on_its_own_queue(ready):
    due = leads(ready, 3)
    booked = call("zoe@resend.dev", Event.ONBOARDING)
    waited_for = email_ids(enrol(ready, booked))[0]
    assert ready.queues.queue_of[waited_for] == "transactional" and ready.queues.queue_of[due[0]] == "emails"
    ready.now.forward(seconds=63)
    with ready.reads() as session:
        assert emails.due(session, ready.now(), ("test",), 10)[0].id == waited_for
    ready.queues.queued.clear()
    sweep(ready)
    assert ready.queues.queued[0] == f"email-{waited_for}"


def test_what_a_person_waits_for_goes_within_a_second_of_a_backlog_that_is_under_way(ready, monkeypatch):
    enrol(ready, call("zoe@resend.dev", Event.ONBOARDING))
    ready.now.forward(seconds=59)
    monkeypatch.setattr(deliver_flow, "LARGEST_BATCH", 20)
    due = leads(ready, 50)
    monkeypatch.setattr(ready.rate, "wait", lambda caller: ready.now.forward(seconds=1) or 0.0)
    deliver_due(ready, due[0])
    recipients = [[payload["to"][0] for payload in payloads] for _, payloads in ready.mailer.calls]
    assert ["zoe@resend.dev" in each for each in recipients] == [False, True, False]


def test_a_claim_of_many_is_renewed_while_its_letters_are_made(ready, monkeypatch):
    due = leads(ready, 6)
    compose = deliver_flow.compose

    def compose_slowly(deps, email, sources):
        deps.now.forward(seconds=6)
        with deps.reads() as session:
            assert emails.abandoned(session, deps.now(), 10) == []
        return compose(deps, email, sources)

    monkeypatch.setattr(deliver_flow, "compose", compose_slowly)
    assert deliver_due(ready, due[0]) is Outcome.SUBMITTED
    assert sizes(ready) == [6]
    assert ready.now() - look(ready, due[0]).sending_at == timedelta(seconds=36)


def test_a_job_that_finds_nothing_to_do_leaves_the_probe_to_another(ready):
    first = leads(ready, 1)[0]
    deliver_due(ready, first)
    assert ready.pause.left == 0
    assert deliver_due(ready, first) is Outcome.NOTHING_TO_DO
    assert ready.pause.left == 1
