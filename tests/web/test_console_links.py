"""Where the console's links and sentences lead: to what is meant, and never to the page that they stand on."""

import re

import pytest

from funnel_app.flows.console.pausing import PauseRequest, pause_sending
from funnel_app.flows.monitoring.alerts.alarms import ALARMS, BROKEN_TEXT
from funnel_app.flows.monitoring.alerts.alert_words import began
from funnel_app.flows.monitoring.alerts.incidents import note
from funnel_app.flows.monitoring.alerts.invariants import INVARIANTS
from funnel_app.flows.monitoring.probes.templates import watch_texts
from funnel_app.flows.templates.serving import check_templates
from funnel_app.web.console.shared.said import said
from tests.apps import application
from tests.factories import make_deps
from tests.flows.leads import opt_in, write_templates
from tests.web.console import Operator
from tests.web.test_error_pages import CHROMIUM

KEY = "lead_nurture_email_1"


def test_a_broken_text_is_looked_at_on_its_own_page_and_several_on_their_list(olga, deps):
    write_templates(deps)
    del deps.notebook.pages[KEY]
    watch_texts(deps)
    deps.now.forward(minutes=1)
    watch_texts(deps)
    assert f'href="/console/templates/{KEY}">Look at it<' in olga.get("/console/").text
    assert olga.get(f"/console/templates/{KEY}").status_code == 200
    assert f"/console/templates/{KEY} · in full" in began(deps.settings, BROKEN_TEXT, "A text", "no page", KEY)
    assert "/console/templates · in full" in began(deps.settings, BROKEN_TEXT, "Texts", "5 texts", "")


def test_look_at_it_never_leads_to_today_itself(olga, deps):
    found = dict.fromkeys(((kind, "") for kind in ALARMS), "does not work")
    note(deps, found, ())
    deps.now.forward(minutes=11)
    note(deps, found, ())
    goals = re.findall(r'href="([^"]+)">Look at it<', olga.get("/console/").text)
    assert {"/console/runbook#web_away", "/console/doctor"} <= set(goals) and "/console/" not in goals
    assert 'href="/console/">Look at it<' not in olga.get("/console/runbook").text


def test_no_alert_and_no_check_says_to_run_the_checks_that_found_it(app):
    with app.app_context():
        fixes = [said(each.fix) for each in (*ALARMS.values(), *INVARIANTS.values())]
    assert not [fix for fix in fixes if "on Today" in fix]


@pytest.mark.parametrize(
    ("api", "home"),
    [
        ("https://api.notion.com", "https://www.notion.so"),
        ("http://127.0.0.1:9/notion", "http://127.0.0.1:9/notion"),
    ],
)
def test_open_in_notion_leads_to_where_the_texts_are_read(sqlite, api, home):
    deps = make_deps(sqlite, notion_api_url=api)
    write_templates(deps)
    check_templates(deps)
    olga = Operator(application(deps).test_client())
    olga.log_in()
    for page in ("/console/templates", f"/console/templates/{KEY}"):
        assert f'href="{home}/' in olga.get(page).text, page


@pytest.mark.parametrize("path", ["nowhere", "leads/01a2", "rq/0/view/job/nobody"])
def test_every_error_of_the_console_has_the_requests_number(olga, path):
    answer = olga.get(f"/console/{path}", headers={"Accept": CHROMIUM, "X-Request-Id": "r-9"})
    assert answer.status_code == 404 and "r-9" in answer.text and "<h1>" in answer.text


def test_a_refused_form_and_a_ledger_that_is_away_have_the_requests_number_too(olga, deps):
    answer = olga.client.post("/console/look-again", data={"key": KEY}, headers={"X-Request-Id": "r-10"})
    assert answer.status_code == 403 and "r-10" in answer.text
    with deps.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE contacts RENAME TO away")
    answer = olga.get("/console/leads", headers={"X-Request-Id": "r-11"})
    assert answer.status_code == 503 and "r-11" in answer.text


def test_a_sentence_that_ends_with_somebodys_question_has_one_end(olga, deps):
    opt_in(deps)
    pause_sending(deps, PauseRequest("all", "is the offer right?"), "Olga")
    for page in ("/console/", "/console/calendar", "/console/doctor"):
        text = olga.get(page).text
        assert "is the offer right?" in text and "right?." not in text, page
    for words in (("doctor",), ("sending", "pause", "all", "--reason", "really?", "--yes")):
        shown = olga.client.application.test_cli_runner().invoke(args=list(words)).output
        assert "?" in shown and "?." not in shown, shown
