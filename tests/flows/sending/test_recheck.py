"""Recheck: a held email goes by itself when its template or its variable is fixed."""

import pytest

from funnel_app.flows.sending.deliver import Outcome, deliver
from funnel_app.flows.sending.recheck import recheck_held
from funnel_app.ledger.models import Email
from tests.flows.leads import assess, email_ids, look, opt_in, write_templates


def held(deps, address="ana@resend.dev"):
    first = email_ids(opt_in(deps, address))[0]
    deliver(deps, [first])
    deps.queues.queued.clear()
    assert look(deps, first).state == "held"
    return first


@pytest.mark.both_databases
def test_a_template_fixed_in_notion_releases_its_held_emails(deps):
    waiting = [held(deps, f"lead{n}@resend.dev") for n in range(3)]
    write_templates(deps)
    deps.now.forward(seconds=61)
    assert recheck_held(deps) == 3
    assert sorted(deps.queues.emails()) == sorted(waiting)
    assert {look(deps, each).reason for each in waiting} == {None}
    for each in waiting:
        assert deliver(deps, [each]) is Outcome.SUBMITTED
    assert sorted(deps.mailer.sent_to()) == [f"lead{n}@resend.dev" for n in range(3)]


@pytest.mark.both_databases
def test_what_is_still_broken_stays_held_with_the_reason_of_now(deps):
    first = held(deps)
    deps.notebook.write("lead_nurture_email_1", html="<p>{{ portal_url }}</p>")
    deps.now.forward(seconds=61)
    assert recheck_held(deps) == 0
    assert look(deps, first).reason == (
        "template lead_nurture_email_1 uses portal_url, and nothing provides it for this lead"
    )
    assert recheck_held(deps) == 0 and deps.queues.queued == []


def test_a_held_email_whose_sequence_ended_is_cancelled_and_not_released(deps):
    first = held(deps)
    assess(deps)
    write_templates(deps)
    deps.now.forward(seconds=61)
    deps.queues.queued.clear()
    assert recheck_held(deps) == 0
    assert look(deps, first).state == "cancelled"


def test_an_email_that_left_while_it_was_looked_at_is_not_touched(deps, monkeypatch):
    first = held(deps)
    write_templates(deps)
    deps.now.forward(seconds=61)

    def compose_while_somebody_releases(deps_, email, sources):
        with deps_.sessions.begin() as session:
            session.get(Email, email.id).state = "planned"

    monkeypatch.setattr("funnel_app.flows.sending.recheck.compose", compose_while_somebody_releases)
    assert recheck_held(deps) == 0
    assert look(deps, first).state == "planned"
