"""`flask resend`: what Resend knows of us, its webhook, and a canary by hand."""

import json

import pytest

from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.reconcile import reconcile
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.errors import Rejected
from tests.apps import application
from tests.flows.leads import email_ids_of, look, write_templates
from tests.flows.monitoring.live import enrol_as_hook
from tests.flows.sending.test_record_event import report


@pytest.fixture
def run(app):
    return lambda *arguments: app.test_cli_runner().invoke(args=["resend", *arguments])


def test_check_tells_of_key_domain_webhook_quota_and_rate(run, deps):
    shown = run("check")
    assert shown.exit_code == 0 and "mail.businessx.example is verified" in shown.output
    deps.account.known.clear()
    shown = run("check", "--json")
    said = json.loads(shown.stdout)
    assert shown.exit_code == 1 and not said["ok"]
    assert "add the domain" in run("check").output


def test_webhooks_are_listed_with_ours(run):
    shown = run("webhooks")
    assert shown.exit_code == 0 and "https://funnel.example/webhook/resend" in shown.output and "← ours" in shown.output


def test_ours_is_made_where_it_is_missing_and_its_secret_printed_once(run, deps):
    deps.account.told.clear()
    shown = run("webhooks")
    assert shown.exit_code == 1 and "--create" in shown.output
    assert "RESEND_WEBHOOK_SECRET=whsec_new" in run("webhooks", "--create").output
    assert "whsec" not in run("webhooks", "--create").output


def test_what_resend_refuses_is_told(run, deps, monkeypatch):
    def refused():
        raise Rejected("resend", "API key is invalid", "invalid_api_key")

    monkeypatch.setattr(deps.account, "endpoints", refused)
    shown = run("webhooks")
    assert shown.exit_code == 1 and "API key is invalid" in shown.output


def runner_of(deps, *, arrives):
    """Let time bring the canary on its way while the command waits."""
    write_templates(deps)
    deps.public.answer = lambda campaign, payload: enrol_as_hook(deps, campaign, payload)

    def sleep(seconds):
        (email_id,) = email_ids_of(deps)
        deliver(deps, [email_id])
        if arrives:
            record_event(deps, report(deps, email_id))

    object.__setattr__(deps, "sleep", sleep)
    return application(deps).test_cli_runner()


def test_a_canary_that_arrives_is_exit_0(deps):
    shown = runner_of(deps, arrives=True).invoke(args=["resend", "canary"])
    assert shown.exit_code == 0, shown.output
    assert [line.split()[-1] for line in shown.output.splitlines() if "s  " in line][-1] == "delivered"
    assert "accepted at https://funnel.example" in shown.output


def test_a_canary_that_does_not_is_exit_1(deps):
    shown = runner_of(deps, arrives=False).invoke(args=["resend", "canary", "--within", "0.2"])
    assert shown.exit_code == 1 and "did not arrive within 0 s" in shown.output


def test_a_canary_of_which_only_asking_told_is_exit_1(deps):
    runner = runner_of(deps, arrives=False)

    def sleep(seconds):
        (email_id,) = email_ids_of(deps)
        deliver(deps, [email_id])
        deps.mailer.last_events = {look(deps, email_id).resend_id: "delivered"}
        deps.now.forward(minutes=4)
        reconcile(deps)

    object.__setattr__(deps, "sleep", sleep)
    shown = runner.invoke(args=["resend", "canary"])
    assert shown.exit_code == 1 and "Resend's webhook did not tell" in shown.output


def test_a_hook_that_does_not_answer_is_told(run, deps):
    deps.public.fault = Rejected("our public address", "the signup hook answered 401", "401")
    shown = run("canary")
    assert shown.exit_code == 1 and "answered 401" in shown.output
