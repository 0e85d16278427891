"""`/metrics` and the reasons at `/readyz`: for whoever has the token, and right with several processes."""

from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from funnel_app.flows.console.pausing import PauseRequest, pause_sending
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.monitoring.alerts.incidents import note
from funnel_app.flows.monitoring.probes.canary import start as start_canary
from funnel_app.flows.privacy.erase import erase
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from tests.apps import application
from tests.factories import METRICS_TOKEN, make_deps
from tests.flows.leads import assess, email_ids, email_ids_of, opt_in, write_templates
from tests.flows.monitoring.probes.test_canary import enrol_as_hook
from tests.flows.sending.test_record_event import report

TOKEN = {"Authorization": f"Bearer {METRICS_TOKEN}"}


def scrape(client):
    answer = client.get("/metrics", headers=TOKEN)
    assert answer.status_code == 200 and answer.content_type.startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


def test_without_the_token_there_is_nothing_to_see(client, sqlite):
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    closed = application(make_deps(sqlite, metrics_token=None)).test_client()
    assert closed.get("/metrics", headers=TOKEN).status_code == 404


def test_figures_come_from_the_ledger_and_count_no_canary(client, deps):
    write_templates(deps)
    deps.public.answer = lambda campaign, payload: enrol_as_hook(deps, campaign, payload)
    first = email_ids(opt_in(deps))[0]
    deps.now.forward(seconds=4)
    deliver(deps, [first])
    record_event(deps, report(deps, first))
    start_canary(deps.public)
    found = scrape(client)
    assert found[("funnel_emails", "delivered", "lead_nurture", "test")] == 1
    assert found[("funnel_emails", "lead_nurture", "planned", "test")] == 4
    assert not any("canary" in key for key in found if key[0] == "funnel_emails")
    assert found[("funnel_hooks_total", "accepted", "signup", "test")] == 1
    assert found[("funnel_lateness_seconds", "0.99")] == 4 and found[("funnel_sent_on_time_ratio",)] == 1
    assert found[("funnel_canary_delivered",)] == 0 and found[("funnel_canary_age_seconds",)] == 0
    canary = next(id_ for id_ in email_ids_of(deps) if id_ not in email_ids(opt_in(deps)))
    deliver(deps, [canary])
    deps.now.forward(seconds=3)
    record_event(deps, report(deps, canary))
    assert scrape(client)[("funnel_canary_delivered",)] == 1


@pytest.mark.both_databases
def test_a_counter_never_falls_and_what_was_refused_is_no_counter(client, deps):
    opt_in(deps)
    refuse(deps, campaign="christmas", hook="signup", payload={"email": "ana@resend.dev"}, errors={"x": ["y"]})
    before = scrape(client)
    assert before[("funnel_hooks_refused", "signup", "test")] == 1
    erase(deps, "ana@resend.dev")
    after = scrape(client)
    assert ("funnel_hooks_refused", "signup", "test") not in after
    counters = {key: value for key, value in before.items() if key[0].endswith("_total")}
    assert counters and all(after[key] >= value for key, value in counters.items())


def test_what_was_due_before_its_hook_came_is_not_late(client, deps):
    """The website sent email 1 long ago: email 2 was due a minute before we heard of the lead (a day is a minute)."""
    write_templates(deps)
    taken = assess(deps, sent_at=deps.now() - timedelta(minutes=2), status="sent")
    deps.now.forward(seconds=5)
    deliver(deps, email_ids(taken)[1:2])
    found = scrape(client)
    assert found[("funnel_lateness_seconds", "1")] == 5 and found[("funnel_sent_on_time_ratio",)] == 1


def test_what_must_never_be_is_a_figure(client, deps):
    opt_in(deps)
    assert scrape(client)[("funnel_invariant_broken", "overdue")] == 0
    deps.now.forward(minutes=2)
    assert scrape(client)[("funnel_invariant_broken", "overdue")] == 1


def test_an_empty_ledger_has_figures_too(client):
    found = scrape(client)
    assert found[("funnel_sent_on_time_ratio",)] == 1 and found[("funnel_incidents", "redis_away")] == 0


def test_figures_of_redis_are_left_out_while_it_is_away(client, deps):
    found = scrape(client)
    assert found[("funnel_redis_up",)] == 1 and found[("funnel_workers",)] == 2
    assert found[("funnel_queue_jobs", "emails")] == 0 and found[("funnel_scheduler_tick_age_seconds",)] == 0
    deps.process_status.silent.add("scheduler")
    deps.pause.pause("401", 60, "config")
    found = scrape(client)
    assert ("funnel_scheduler_tick_age_seconds",) not in found and found[("funnel_sending_paused", "config")] == 1
    deps.process_status.away = True
    found = scrape(client)
    assert found[("funnel_redis_up",)] == 0 and ("funnel_workers",) not in found


def test_what_people_paused_is_a_figure_while_it_is(client, deps):
    pause_sending(deps, PauseRequest("lead_nurture", "new texts"), "Nora")
    assert scrape(client)[("funnel_paused_by_people", "lead_nurture")] == 1
    pause_sending(deps, PauseRequest("all", "a doubt", "2026-11-24 12:00"), "Nora")
    assert scrape(client)[("funnel_paused_by_people", "all")] == 1
    deps.now.forward(days=1)
    assert {key[1] for key in scrape(client) if key[0] == "funnel_paused_by_people"} == {"lead_nurture"}


def test_incidents_are_figures(client, deps):
    note(deps, {("hook_silent", "a"): "x", ("hook_silent", "b"): "x"}, [])
    assert scrape(client)[("funnel_incidents", "hook_silent")] == 2


def test_the_reasons_why_it_is_not_ready_need_the_token(client, deps):
    deps.queues.away = True
    assert client.get("/readyz").json == {"status": "not ready"}
    answer = client.get("/readyz", headers=TOKEN)
    assert (answer.status_code, answer.json["reasons"]) == (503, ["Redis cannot be reached"])
    deps.queues.away = False
    ready = client.get("/readyz", headers=TOKEN).json
    assert (ready["status"], ready["reasons"], ready["headline"][:11]) == ("ready", [], "All is well")


def test_a_token_may_be_two_while_it_is_rotated(sqlite):
    client = application(make_deps(sqlite, metrics_token=f"new-{'n' * 16},old-{'o' * 16}")).test_client()
    for token, status in (("new-" + "n" * 16, 200), ("old-" + "o" * 16, 200), (f"new-{'n' * 16},old-{'o' * 16}", 401)):
        assert client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == status


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_tries_of_the_token_are_throttled_wherever_it_is_asked_for(client, path):
    tries = [client.get(path, headers={"Authorization": f"Bearer x{n}"}).status_code for n in range(31)]
    assert tries == [401] * 30 + [429]
    assert client.get(path, headers=TOKEN).status_code == 200, "who knows it is not slowed down"
    assert client.get("/readyz").status_code == 200
