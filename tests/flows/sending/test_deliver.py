"""Deliver: only what is due and wanted goes, once, in order, and exactly as it was frozen."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from funnel_app.campaigns.recipients import is_test_recipient
from funnel_app.flows.privacy.unsubscribe import unsubscribe
from funnel_app.flows.sending import deliver as deliver_flow
from funnel_app.flows.sending.deliver import Outcome, deliver
from funnel_app.flows.sending.freeze import idempotency_key
from funnel_app.ledger import contacts, enrolments
from funnel_app.ledger.models import Contact, Email, EnrolmentState, Message, Suppression
from tests.factories import make_deps
from tests.flows.leads import assess, email_ids, look, opt_in, read_templates, states, write_templates


def test_a_due_email_is_sent_with_its_own_key_and_tag(ready):
    first = email_ids(opt_in(ready))[0]
    assert deliver(ready, [first]) is Outcome.SUBMITTED
    (key, (payload,)) = ready.mailer.calls[0]
    assert key == f"email-{first}-1"
    assert {"name": "email", "value": str(first)} in payload["tags"]
    assert (payload["to"], payload["subject"]) == (["ana@resend.dev"], "About lead_nurture_email_1")
    assert "List-Unsubscribe" in payload["headers"]
    sent = look(ready, first)
    assert (sent.state, sent.resend_id, sent.sent_at) == ("sent", "resend-0-0", ready.now())


@pytest.mark.both_databases
def test_what_was_sent_is_kept_as_it_was_sent(ready):
    first = email_ids(opt_in(ready))[0]
    deliver(ready, [first])
    with ready.reads() as session:
        message = session.scalars(select(Message)).one()
    payload = ready.mailer.sent()[0]
    assert (message.html, message.text, message.subject) == (payload["html"], payload["text"], payload["subject"])
    assert message.template_version_id is not None and "{{" not in message.html


@pytest.mark.both_databases
def test_racing_workers_send_each_letter_once(ready):
    read_templates(ready)
    due = [email_ids(opt_in(ready, f"lead{n}@resend.dev"))[0] for n in range(5)]
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda email_id: deliver(ready, [email_id]), sorted(due * 8)))
    assert Counter(ready.mailer.sent_to()) == {f"lead{n}@resend.dev": 1 for n in range(5)}
    assert len(ready.mailer.calls) == 5
    assert {look(ready, email_id).state for email_id in due} == {"sent"}


def test_an_exit_that_commits_before_the_freeze_wins(ready, monkeypatch):
    receipt = opt_in(ready)
    compose = deliver_flow.compose

    def compose_while_the_lead_takes_the_assessment(deps, email, sources):
        letter = compose(deps, email, sources)
        assess(deps)
        return letter

    monkeypatch.setattr(deliver_flow, "compose", compose_while_the_lead_takes_the_assessment)
    assert deliver(ready, email_ids(receipt)[:1]) is Outcome.NOTHING_TO_DO
    assert ready.mailer.calls == []
    assert states(ready, receipt) == ["cancelled"] * 5


def test_an_unsubscribe_that_commits_before_the_freeze_wins(ready, monkeypatch):
    receipt = opt_in(ready)
    compose = deliver_flow.compose

    def compose_while_the_lead_leaves(deps, email, sources):
        letter = compose(deps, email, sources)
        assert unsubscribe(deps, email.enrolment.contact.unsubscribe_token)
        return letter

    monkeypatch.setattr(deliver_flow, "compose", compose_while_the_lead_leaves)
    deliver(ready, email_ids(receipt)[:1])
    assert ready.mailer.calls == []


@pytest.mark.both_databases
def test_a_pause_that_commits_before_the_freeze_gives_the_email_back(ready, monkeypatch):
    receipt = opt_in(ready)
    compose = deliver_flow.compose

    def compose_while_a_person_pauses(deps, email, sources):
        with deps.sessions.begin() as session:
            contacts.lock(session, [email.enrolment.contact_id])
            enrolments.running(session, email.enrolment.contact_id)[0].state = EnrolmentState.PAUSED
        return compose(deps, email, sources)

    monkeypatch.setattr(deliver_flow, "compose", compose_while_a_person_pauses)
    deliver(ready, email_ids(receipt)[:1])
    first = look(ready, email_ids(receipt)[0])
    assert (first.state, first.reason) == ("planned", "requeued: its sequence is paused")
    assert ready.mailer.calls == []


def test_a_lease_that_was_lost_while_rendering_stops_the_late_worker(ready, monkeypatch):
    first = email_ids(opt_in(ready))[0]
    compose = deliver_flow.compose

    def compose_for_too_long(deps, email, sources):
        letter = compose(deps, email, sources)
        with deps.sessions.begin() as session:
            session.get(Email, email.id).lease_token = None
        return letter

    monkeypatch.setattr(deliver_flow, "compose", compose_for_too_long)
    assert deliver(ready, [first]) is Outcome.NOTHING_TO_DO
    assert ready.mailer.calls == []


@pytest.mark.both_databases
def test_a_letter_that_was_made_before_midnight_and_whose_turn_comes_after_it_is_made_again(ready, monkeypatch):
    """As where many wait for the rate: it would say of a day that has begun that it is tomorrow."""
    write_templates(ready, "<p>{{ days_to_deadline }} days left</p>")
    receipt = opt_in(ready)
    compose, waits = deliver_flow.compose, iter([timedelta(hours=17)])

    def compose_and_wait(deps, email, sources):
        letter = compose(deps, email, sources)
        ready.now.forward(seconds=next(waits, timedelta(0)).total_seconds())
        return letter

    monkeypatch.setattr(deliver_flow, "compose", compose_and_wait)
    assert deliver(ready, email_ids(receipt)[:1]) is Outcome.NOTHING_TO_DO
    first = look(ready, email_ids(receipt)[0])
    assert (first.state, first.reason) == ("planned", "requeued: another day has begun since its letter was made")
    assert deliver(ready, email_ids(receipt)[:1]) is Outcome.SUBMITTED
    assert [payload["text"].split(" days")[0] for payload in ready.mailer.sent()] == ["10"]


def test_nothing_goes_early_or_before_its_predecessor(ready):
    receipt = opt_in(ready)
    second = email_ids(receipt)[1]
    assert deliver(ready, [second]) is Outcome.NOTHING_TO_DO
    ready.now.forward(minutes=2)
    assert deliver(ready, [second]) is Outcome.NOTHING_TO_DO
    deliver(ready, email_ids(receipt)[:1])
    with ready.reads() as session:
        assert session.get(Email, second).state == "planned"


def test_a_late_step_takes_the_later_ones_along(ready):
    receipt = opt_in(ready)
    ready.now.forward(minutes=10)
    deliver(ready, email_ids(receipt)[:1])
    due = [look(ready, email_id).due_at - ready.now() for email_id in email_ids(receipt)[1:]]
    assert due == [timedelta(minutes=n) for n in range(1, 5)]


def test_a_step_later_than_its_sequence_allows_is_skipped(ready):
    receipt = opt_in(ready)
    ready.now.forward(days=8)
    assert deliver(ready, email_ids(receipt)[:1]) is Outcome.NOTHING_TO_DO
    first = look(ready, email_ids(receipt)[0])
    assert (first.state, first.reason) == ("skipped", "too late: over 7 days after its time")


@pytest.mark.both_databases
def test_a_suppressed_address_is_not_mailed(ready):
    receipt = opt_in(ready)
    with ready.reads() as session:
        token = session.scalars(select(Contact.unsubscribe_token)).one()
    with ready.sessions.begin() as session:
        session.add(
            Suppression(
                email_norm="ana@resend.dev",
                address_hash="x",
                scope="all",
                reason="the address bounced for good",
                source="test",
                created_at=ready.now(),
            )
        )
    deliver(ready, email_ids(receipt)[:1])
    first = look(ready, email_ids(receipt)[0])
    assert (first.state, first.reason) == ("suppressed", "the address bounced for good")
    assert ready.mailer.calls == [] and token


def test_testing_mode_mails_only_test_recipients(ready):
    receipt = opt_in(ready, "somebody@salon.example")
    deliver(ready, email_ids(receipt)[:1])
    first = look(ready, email_ids(receipt)[0])
    assert (first.state, first.reason) == ("skipped", "testing mode: the address is not in TEST_RECIPIENTS")


@pytest.mark.parametrize(
    ("address", "allowed", "may"),
    [
        ("ana@resend.dev", ("*@resend.dev",), True),
        ("ana@resend.dev", ("ANA@resend.dev",), True),
        ("ana@other.dev", ("*@resend.dev", "bea@other.dev"), False),
        ("ana@evil.resend.dev", ("*@resend.dev",), False),
    ],
)
def test_test_recipients_are_addresses_or_whole_domains(address, allowed, may):
    assert is_test_recipient(address, allowed) is may


def test_a_process_in_testing_mode_leaves_live_emails_waiting(sqlite):
    live, testing = make_deps(sqlite, testing_mode=False), make_deps(sqlite)
    write_templates(testing)
    first = email_ids(opt_in(live))[0]
    assert deliver(testing, [first]) is Outcome.NOTHING_TO_DO
    assert look(testing, first).state == "planned"


def test_a_missing_template_holds_the_email_and_names_it(deps):
    first = email_ids(opt_in(deps))[0]
    assert deliver(deps, [first]) is Outcome.NOTHING_TO_DO
    held = look(deps, first)
    assert held.state == "held"
    assert held.reason == (
        "template lead_nurture_email_1 in Notion: no page in the templates database is named lead_nurture_email_1"
    )


def test_a_variable_that_nothing_provides_holds_the_email(ready):
    ready.notebook.write("lead_nurture_email_1", html="<p>{{ portal_url }}</p>")
    first = email_ids(opt_in(ready))[0]
    deliver(ready, [first])
    assert look(ready, first).reason == (
        "template lead_nurture_email_1 uses portal_url, and nothing provides it for this lead"
    )


def test_no_letter_is_claimed_while_sending_is_paused(ready):
    first = email_ids(opt_in(ready))[0]
    ready.pause.pause("the key is wrong", 60, "config")
    assert deliver(ready, [first]) is Outcome.PAUSED
    assert look(ready, first).state == "planned"


def test_a_batch_has_one_key_made_of_its_emails_keys():
    batch = [Email(id=n, freezes=1) for n in range(2)]
    assert idempotency_key(batch) == idempotency_key(batch)
    assert idempotency_key(batch) != idempotency_key(batch[::-1])
    assert idempotency_key(batch).startswith("batch-")


def test_several_emails_can_share_one_request(ready):
    due = [email_ids(opt_in(ready, f"lead{n}@resend.dev"))[0] for n in range(3)]
    assert deliver(ready, due) is Outcome.SUBMITTED
    assert len(ready.mailer.calls) == 1 and len(ready.mailer.sent()) == 3
    sent = {look(ready, email_id).enrolment.contact.email: look(ready, email_id).resend_id for email_id in due}
    payloads, ids = next(iter(ready.mailer.accepted.values()))
    assert sent == {payload["to"][0]: resend_id for payload, resend_id in zip(payloads, ids, strict=True)}
