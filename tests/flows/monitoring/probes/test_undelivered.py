"""Undelivered: whoever watches hears of all that bounced, was marked as spam, suppressed or refused: together."""

from dataclasses import replace

import pytest

from funnel_app.campaigns.reasons import with_words
from funnel_app.flows.console.intervene import retry
from funnel_app.flows.console.today import look_at_today
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.monitoring.checks.emails import undelivered
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.privacy.suppress import suppress
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger.models import Scope
from tests.factories import make_deps
from tests.flows.leads import call, email_ids, look, opt_in, write_templates
from tests.flows.monitoring.live import LIVE, run_tasks
from tests.flows.sending.test_record_event import report

NO_MAILBOX = with_words("mailbox does not exist", "smtp; 550 5.1.1 no such mailbox")
INVALID = Answer(AnswerKind.INVALID, detail="422 validation_error: Invalid `to` field.")


@pytest.fixture
def live(deps):
    deps = make_deps(deps.engine, **LIVE, console_password="a password that no link holds")
    write_templates(deps)
    return deps


def send(deps, address="ana.silva@resend.dev"):
    first = email_ids(opt_in(deps, address))[0]
    deliver(deps, [first])
    return first


def bounce(deps, address="ana.silva@resend.dev", kind="email.bounced", detail=NO_MAILBOX, **more):
    first = send(deps, address)
    record_event(deps, report(deps, first, kind, detail=detail, **more))
    return first


def test_one_bounce_is_told_once_with_its_reason_and_what_to_do_and_no_full_address(live):
    first = bounce(live)
    for _ in range(5):
        said = run_tasks(live, minutes=1)
    person = look(live, first).enrolment.contact_id
    assert said == [
        (
            "🔴 Emails bounced: 1 email to a***@resend.dev: mailbox does not exist "
            f"(https://funnel.example/console/leads/{person})"
        )
    ]
    ((_, text),) = live.alerts.posted
    assert "What it means: a mailbox does not take them" in text and "What to do: Ask the lead for another" in text
    assert text.endswith("leads?trouble=bounced · in full: https://funnel.example/console/runbook#bounced")


def test_today_calls_a_bounce_wrong_at_once_as_its_headline_does_with_the_whole_address_and_without_a_link(live):
    bounce(live)
    seen, told = look_at_today(live), "1 email to ana.silva@resend.dev: mailbox does not exist"
    assert [seen.incidents[need.about.id].detail for need in seen.headline.needs] == [told]
    assert seen.headline.sentence == f"1 thing needs you: Emails bounced: {told}"
    assert current_headline(live).sentence.endswith("1 email to a***@resend.dev: mailbox does not exist")


def test_what_follows_within_the_hour_is_counted_and_told_when_it_is_over(live):
    for number in range(4):
        bounce(live, f"lead{number}@resend.dev")
    assert len(run_tasks(live, minutes=1)) == 1
    for number in range(4, 6):
        bounce(live, f"lead{number}@resend.dev", detail="mailbox is full")
        run_tasks(live, minutes=20)
    began, *_, over = [line for line in run_tasks(live, hours=1, minutes=3) if "Emails bounced" in line]
    assert began.startswith("🔴 Emails bounced: 4 emails: mailbox does not exist (")
    assert "/console/leads?trouble=bounced)" in began
    assert over == (
        "🟢 Over: Emails bounced: 6 emails: mailbox does not exist (4), mailbox is full (2) "
        "(https://funnel.example/console/leads?trouble=bounced); none in the last 60 min"
    )


def test_the_next_one_after_that_is_told_again_and_counted_again(live):
    bounce(live)
    run_tasks(live, minutes=1)
    run_tasks(live, hours=1, minutes=3)
    bounce(live, "bea@resend.dev")
    assert [line[:37] for line in run_tasks(live, minutes=1)] == [
        "🔴 Emails bounced: 1 email to a***@res",
        "🟢 Over: Emails bounced: 1 email to a*",
        "🔴 Emails bounced: 1 email to b***@res",
    ]


def test_a_report_that_comes_hours_late_is_told_all_the_same(live):
    first = send(live)
    then = live.now()
    live.now.forward(hours=9)
    record_event(live, report(live, first, "email.bounced", at=then))
    assert any("Emails bounced: 1 email" in line for line in run_tasks(live, minutes=1))


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("kind", "title"),
    [("email.complained", "Emails were marked as spam"), ("email.suppressed", "Emails that Resend did not send")],
)
def test_a_complaint_and_a_suppression_are_told_under_their_own_name(live, kind, title):
    bounce(live, kind=kind, detail=None)
    (said,) = run_tasks(live, minutes=1)
    assert said.startswith(f"🔴 {title}: 1 email to a***@resend.dev: ")


def test_what_turns_into_a_complaint_is_told_as_one(live):
    first = bounce(live)
    record_event(live, report(live, first, "email.complained"))
    (said,) = run_tasks(live, minutes=1)
    assert said.startswith("🔴 Emails were marked as spam: 1 email")


@pytest.mark.both_databases
def test_a_refused_email_is_told_and_one_that_is_tried_again_is_no_longer_counted(live):
    live.mailer.script = [INVALID, INVALID]
    first, second = send(live), send(live, "bea@resend.dev")
    (said,) = run_tasks(live, minutes=1)
    assert said.startswith("🔴 Emails failed: 2 emails: Resend refused it: Invalid `to` field (http")
    assert "flask emails retry" in live.alerts.posted[0][1]
    for each in (first, second):
        retry(live, each)
        deliver(live, [each])
    assert run_tasks(live, minutes=3)[1].startswith("🟢 Over: Emails failed: 2 emails")


def test_what_we_ourselves_do_not_send_is_no_news(live):
    suppress(live, "ana.silva@resend.dev", Scope.ALL)
    first = send(live)
    assert look(live, first).state == "suppressed"
    assert run_tasks(live, minutes=1) == []


@pytest.mark.both_databases
def test_a_canary_has_an_alarm_of_its_own(live):
    receipt = enrol(live, replace(call("delivered+canary-1@resend.dev"), campaign="canary"))
    record_event(live, report(live, email_ids(receipt)[0], "email.bounced", detail=NO_MAILBOX))
    assert run_tasks(live, minutes=1) == []


def test_many_reasons_are_told_in_short(live):
    for number in range(5):
        bounce(live, f"lead{number}@resend.dev", detail=f"reason {number} " + "x" * 200)
    (said,) = run_tasks(live, minutes=1)
    assert "other reasons (2)" in said and len(said) < 800


class TestDoctor:
    """A bounce is a warning for an hour; more than Resend allows is a fault for a week."""

    def test_a_bounce_of_the_last_hour_is_to_be_looked_at(self, live):
        assert next(undelivered(live)).status == "ok"
        bounce(live)
        (check,) = undelivered(live)
        assert check.status == "warning" and "ana.silva@resend.dev" in check.detail and "1 of 1 bounced" in check.detail
        live.now.forward(hours=2)
        assert next(undelivered(live)).status == "ok"

    def test_more_than_resend_allows_is_a_fault(self, live):
        for number in range(3):
            bounce(live, f"bad{number}@resend.dev")
        deliver(live, [email_ids(opt_in(live, f"good{number}@resend.dev"))[0] for number in range(46)])
        assert next(undelivered(live)).status == "warning", "of so few emails no share can be told"
        send(live, "good@resend.dev")
        (check,) = undelivered(live)
        assert check.status == "fault" and "3 of 50 bounced (6.0%)" in check.detail and "4.00% bounced" in check.fix
        live.now.forward(days=8)
        assert next(undelivered(live)).status == "ok"
