"""What others are told of leads, as an operator sees it: on the page, in the doctor, by alerts and by commands."""

import json

import pytest

from funnel_app.flows.monitoring.checks.outside import events
from funnel_app.flows.monitoring.probes.watch import watch
from funnel_app.flows.outbox.history import list_events
from funnel_app.flows.outbox.publish import publish_events
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger import incidents, operator_actions
from tests.apps import application
from tests.factories import make_deps
from tests.flows.leads import opt_in
from tests.web.console import LOGGED_ID, Operator

URL = "https://hooks.zapier.example/hooks/catch/1/very-secret"


@pytest.fixture
def told(engine):
    return make_deps(engine, events_webhook_urls=(URL,), events_webhook_secrets=("whsec_" + "bmV3" * 10,))


@pytest.fixture
def olga(told):
    operator = Operator(application(told).test_client())
    operator.log_in()
    return operator


@pytest.fixture
def run(told, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: application(told).test_cli_runner().invoke(args=list(arguments))


def give_up(deps):
    """Let a lead come in and nobody take it for three days."""
    deps.receivers.fault = lambda url, event: Unavailable("hooks.zapier.example", "answered 503")
    opt_in(deps)
    publish_events(deps)
    deps.now.forward(days=3, minutes=1)
    publish_events(deps)
    deps.receivers.fault = lambda url, event: None


def test_the_page_says_how_each_receiver_stands_and_shows_no_secret(told, olga):
    opt_in(told)
    publish_events(told)
    page = olga.get("/console/outgoing").text
    assert "hooks.zapier.example" in page and "takes what it is told" in page
    assert "lead.enrolled" in page and "ana@resend.dev" in page
    assert "very-secret" not in page
    assert olga.get("/console/outgoing?state=waiting").text.count("lead.enrolled") == 0


@pytest.mark.both_databases
def test_what_was_given_up_is_told_again_by_a_button_and_noted(told, olga):
    give_up(told)
    olga.log_in()
    page = "/console/outgoing?state=given_up"
    assert "answered 503" in olga.get(page).text
    assert olga.send("/console/outgoing/replay", form=page).status_code == 303
    publish_events(told)
    assert len(told.receivers.taken) == 1
    assert "given up" not in olga.get("/console/outgoing?state=taken").text.rpartition("<tbody>")[2]
    (row,) = list_events(told, None, 2)
    assert olga.send(f"/console/outgoing/{row['id']}/replay", form="/console/outgoing").status_code == 303
    publish_events(told)
    assert len(told.receivers.taken) == 2
    log = olga.get("/console/log").text
    assert "lead.enrolled of 24 Nov" in log and LOGGED_ID.search(log) is None


def test_the_commands_list_and_tell_again(told, run):
    give_up(told)
    (row,) = json.loads(run("events", "list", "--json").stdout)
    assert (row["state"], row["receiver"], row["lead"]) == ("given_up", "hooks.zapier.example", "ana@resend.dev")
    assert "given up" in run("events", "list").stdout
    assert run("events", "replay").exit_code == 2
    assert "1 event is told again." in run("events", "replay", row["id"]).stdout
    with told.reads() as session:
        assert operator_actions.newest_of(session, "tell_again").detail == "1 event"
    again = run("events", "replay", row["id"])
    assert again.exit_code == 1 and "No such event is settled" in again.output
    publish_events(told)
    assert "1 event is" in run("events", "replay", "--since", "2026-11-24").stdout
    assert run("events", "replay", "--given-up").stdout.startswith("0 events")


def kinds(deps):
    watch(deps)
    with deps.reads() as session:
        return {i.kind for i in incidents.current(session, {"receiver_away", "events_given_up"}) if i.notified_at}


def test_a_receiver_that_takes_nothing_is_told_after_ten_minutes_and_is_over_when_it_does(told):
    told.receivers.fault = lambda url, event: Unavailable("hooks.zapier.example", "answered 503")
    opt_in(told)
    publish_events(told)
    assert kinds(told) == set(), "what comes and goes by itself is no alarm"
    (found,) = events(told)
    assert found.status == "fault" and "answered 503" in found.detail and "1 event waits" in found.detail
    told.now.forward(minutes=11)
    assert kinds(told) == {"receiver_away"}
    told.receivers.fault = lambda url, event: None
    publish_events(told)
    told.now.forward(minutes=3)
    assert kinds(told) == set()
    assert [check.status for check in events(told)] == ["ok"]


def test_what_was_given_up_stays_with_the_doctor_until_it_is_told_again(told, olga, run):
    give_up(told)
    away, given_up = events(told)
    assert (away.status, given_up.status) == ("fault", "warning")
    assert given_up.detail == "1 event was given up: no receiver took it in three days"
    assert "events replay --given-up" in given_up.fix
    olga.log_in()
    assert "Nothing waits for it; it is tried with what happens next." in olga.get("/console/outgoing").text
    run("events", "replay", "--given-up")
    publish_events(told)
    assert [check.status for check in events(told)] == ["ok"]


def test_what_is_given_up_is_told_once_it_happened(told):
    give_up(told)
    watch(told)
    told.now.forward(minutes=2)
    assert "events_given_up" in kinds(told)


def test_where_nobody_listens_the_page_and_the_doctor_say_nothing_is_wrong(deps):
    assert list(events(deps)) == []
    operator = Operator(application(deps).test_client())
    operator.log_in()
    assert "EVENTS_WEBHOOK_URL is not set" in operator.get("/console/outgoing").text
