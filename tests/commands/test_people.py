"""`flask emails`, `flask contacts` and `flask ledger`: a person settles, forbids, hands out, erases and counts."""

import json

import pytest

from funnel_app.flows.sending.deliver import deliver
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger.models import Contact
from tests.flows.leads import WorkerDied, die, email_ids, look, opt_in, states, write_templates
from tests.flows.monitoring.statistics.test_stats import deliver_first


@pytest.fixture
def run(app, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    runner = app.test_cli_runner()
    return lambda *arguments, **more: runner.invoke(args=list(arguments), **more)


@pytest.fixture
def ambiguous(deps):
    write_templates(deps)
    deps.mailer.script = [Answer(AnswerKind.CONFLICT, detail="409 invalid_idempotent_request")]
    return deliver_first(deps)


def test_emails_resolve_settles_what_is_in_doubt(run, deps, ambiguous):
    assert f"flask emails resolve {ambiguous} delivered, failed or not-sent" in " ".join(
        run("trace", "ana@resend.dev").output.split()
    )
    done = run("emails", "resolve", str(ambiguous), "delivered")
    assert (done.exit_code, done.stdout) == (0, "recorded as delivered\n")
    assert look(deps, ambiguous).state == "delivered"


@pytest.mark.parametrize("verb", ["release", "retry", "cancel"])
def test_emails_says_why_something_cannot_be_done(run, deps, ambiguous, verb):
    done = run("emails", verb, str(ambiguous))
    assert done.exit_code == 1 and "This email is ambiguous (may have gone out" in done.output


def test_emails_cancel_takes_one_back(run, deps):
    receipt = opt_in(deps)
    assert run("emails", "cancel", str(email_ids(receipt)[4])).exit_code == 0
    assert states(deps, receipt)[4] == "cancelled"


def test_trace_shows_the_ids_where_they_are_wanted(run, deps):
    receipt = opt_in(deps)
    first, call = str(email_ids(receipt)[0]), f"flask hooks show {receipt.hook_id}"
    without, with_ids = run("trace", "ana@resend.dev").output, run("trace", "ana@resend.dev", "--ids").output
    assert first not in without and call not in without
    assert first in with_ids and call in with_ids


def test_trace_tells_of_calls_and_of_what_is_forbidden(run, deps):
    run("enrol", "precall_prep", "ana@resend.dev", "--set", "call_time=2026-12-03T15:00:00-05:00")
    run("contacts", "suppress", "ana@resend.dev", "--marketing")
    run("contacts", "suppress", "nobody@resend.dev")
    told = run("trace", "ana@resend.dev").output
    assert "active, testing mode" in told and "precall_prep, call 3 December 2026 15:00" in told
    assert "Not mailed marketing: mail was stopped by a person on 24 November" in told
    assert "Not mailed anything" in run("trace", "nobody@resend.dev").output


def test_contacts_suppress_and_release(run, deps):
    receipt = opt_in(deps)
    assert run("contacts", "suppress", "ana@resend.dev", "--marketing").stdout == (
        "ana@resend.dev gets no marketing from now on.\n"
    )
    assert run("contacts", "suppress", "ana@resend.dev").stdout == "ana@resend.dev gets nothing from now on.\n"
    assert run("contacts", "suppress", "ana@resend.dev").stdout == "That was so already.\n"
    assert set(states(deps, receipt)) == {"cancelled"}
    assert run("contacts", "release", "ana@resend.dev").exit_code == 0
    again = run("contacts", "release", "ana@resend.dev")
    assert again.exit_code == 1 and "Nothing forbids mail to ana@resend.dev" in again.output


def test_contacts_export_is_json_and_exit_1_for_a_stranger(run, deps):
    opt_in(deps)
    found = run("contacts", "export", "ana@resend.dev")
    assert found.exit_code == 0 and json.loads(found.output)["person"]["first_name"] == "Ana"
    stranger = run("contacts", "export", "nobody@resend.dev")
    assert (stranger.exit_code, stranger.stdout) == (1, "null\n")
    assert "Nothing is known of nobody@resend.dev" in stranger.stderr


def test_contacts_takes_only_addresses(run):
    for verb in (["suppress", "ana@resend"], ["erase", "ana@resend", "--yes"]):
        done = run("contacts", *verb)
        assert done.exit_code == 1 and "ana@resend is not an email address" in done.output


def test_contacts_erase_asks_first(run, deps):
    opt_in(deps)
    assert run("contacts", "erase", "ana@resend.dev", input="n\n").exit_code == 1
    assert run("trace", "ana@resend.dev").exit_code == 0
    done = run("contacts", "erase", "ana@resend.dev", input="y\n")
    assert done.exit_code == 0 and "All that was known of it is gone" in done.output
    assert run("trace", "ana@resend.dev").exit_code == 1
    assert "Nothing was known of it" in run("contacts", "erase", "ana@resend.dev", "--yes").output


def test_contacts_erase_says_what_is_left(run, deps, monkeypatch):
    write_templates(deps)
    receipt = opt_in(deps)
    with deps.sessions.begin() as session:
        session.query(Contact).one().notion_page_id = "page"
    monkeypatch.setattr("funnel_app.flows.sending.deliver.submit", die)
    with pytest.raises(WorkerDied):
        deliver(deps, email_ids(receipt)[:1])
    busy = run("contacts", "erase", "ana@resend.dev", "--yes")
    assert busy.exit_code == 1 and "Run this again in a minute" in busy.output
    deps.now.forward(minutes=1)
    deps.notebook.fault = Unavailable("notion", "503")
    left = run("contacts", "erase", "ana@resend.dev", "--yes")
    assert left.exit_code == 1 and "1 pages in Notion could not be removed" in left.output


def test_ledger_stats_is_json_and_exit_1_where_something_is_unexplained(run, deps):
    opt_in(deps)
    good = run("ledger", "stats")
    assert good.exit_code == 0 and json.loads(good.output)["planned"] == 5
    deps.now.forward(minutes=2)
    bad = run("ledger", "stats", "--json")
    assert bad.exit_code == 1 and json.loads(bad.output)["unexplained"] == 1
