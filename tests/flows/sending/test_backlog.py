"""Backlog: what is due goes one by one while it is little, and a hundred at a time while it is much."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.sending import deliver as deliver_flow
from funnel_app.flows.sending.backlog import deliver_due
from funnel_app.flows.sending.deliver import Outcome
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger import emails
from tests.flows.leads import call, email_ids, look, opt_in, read_templates, write_templates


@pytest.fixture
def ready(both_deps):
    """Collaborators on each database, with every template written."""
    write_templates(both_deps)
    return both_deps


def leads(deps, count: int) -> list:
    return [email_ids(opt_in(deps, f"lead{n}@resend.dev"))[0] for n in range(count)]


def sizes(deps) -> list[int]:
    return [len(payloads) for _, payloads in deps.mailer.calls]


def test_few_go_one_by_one(ready):
    due = leads(ready, 4)
    for email_id in due:
        assert deliver_due(ready, email_id) is Outcome.HANDED_OVER
    assert sizes(ready) == [1] * 4


def test_more_than_two_seconds_of_the_rate_go_together_and_their_jobs_are_taken_off(ready):
    due = leads(ready, 5)
    assert deliver_due(ready, due[2]) is Outcome.HANDED_OVER
    assert sizes(ready) == [5] and {look(ready, each).state for each in due} == {"sent"}
    assert ready.queues.queued == []


def test_ten_are_a_backlog_at_any_rate(ready):
    ready.rate.allowed = 100.0
    due = leads(ready, 11)
    deliver_due(ready, due[0])
    assert sizes(ready) == [11]


def test_a_job_goes_on_while_there_is_a_backlog_and_takes_a_hundred_at_most(ready):
    due = leads(ready, 203)
    deliver_due(ready, due[0])
    assert sizes(ready) == [100, 100], "three are no backlog: their own jobs send them"
    assert Counter(ready.mailer.sent_to()) == Counter(set(ready.mailer.sent_to()))


def test_a_job_ends_after_a_while_though_more_is_due(ready, monkeypatch):
    due = leads(ready, 150)
    monkeypatch.setattr(ready.rate, "wait", lambda caller: ready.now.forward(seconds=25) or 0.0)
    deliver_due(ready, due[0])
    assert sizes(ready) == [100]


def test_racing_jobs_of_a_backlog_send_each_letter_once(ready):
    read_templates(ready)
    due = leads(ready, 12)
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda email_id: deliver_due(ready, email_id), due * 2))
    assert Counter(ready.mailer.sent_to()) == {f"lead{n}@resend.dev": 1 for n in range(12)}


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


def test_a_claim_of_many_is_renewed_while_its_letters_are_made(ready, monkeypatch):
    due = leads(ready, 6)
    compose = deliver_flow.compose

    def compose_slowly(deps, email, sources):
        deps.now.forward(seconds=6)
        with deps.reads() as session:
            assert emails.abandoned(session, deps.now(), 10) == []
        return compose(deps, email, sources)

    monkeypatch.setattr(deliver_flow, "compose", compose_slowly)
    assert deliver_due(ready, due[0]) is Outcome.HANDED_OVER
    assert sizes(ready) == [6]
    assert ready.now() - look(ready, due[0]).sending_at == timedelta(seconds=36)


def test_a_job_that_finds_nothing_to_do_leaves_the_probe_to_another(ready):
    first = leads(ready, 1)[0]
    deliver_due(ready, first)
    assert ready.pause.left == 0
    assert deliver_due(ready, first) is Outcome.NOTHING_TO_DO
    assert ready.pause.left == 1
