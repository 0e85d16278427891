"""The watch over the templates says each thing once, never keeps the scheduler waiting, and never dies."""

from threading import Event

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from funnel_app.gateways.errors import Unavailable
from jobs import template_watch
from jobs.template_watch import TemplateWatch
from tests.flows.leads import write_templates

KEY = "christmas_email_1"


@pytest.fixture
def watch(deps):
    write_templates(deps)
    return TemplateWatch(lambda: deps)


def said(watch):
    with capture_logs() as logs:
        watch.check()
    told = [entry for entry in logs if not entry["event"].startswith("incident_")]
    return [(entry["event"], entry.get("template") or entry.get("error")) for entry in told]


def test_a_template_that_breaks_is_said_once_and_once_more_when_it_is_fixed(watch, deps):
    assert said(watch) == []
    deps.notebook.write(KEY, html="<p>{{ first_nam }}</p>")
    assert said(watch) == [("template_broken", KEY)]
    assert said(watch) == []
    deps.notebook.write(KEY, html="")
    assert said(watch) == [("template_broken", KEY)], "it is broken in another way"
    deps.notebook.write(KEY)
    assert said(watch) == [("template_fixed", KEY)]


def test_a_notion_or_a_ledger_that_is_away_is_said_and_forgets_nothing(watch, deps, monkeypatch):
    deps.notebook.pages.clear()
    assert len(said(watch)) == 22
    deps.notebook.fault = Unavailable("notion", "503")
    assert said(watch) == [("templates_not_checked", "notion: 503")]

    def locked(_):
        raise OperationalError("SELECT", {}, Exception("locked"))

    deps.notebook.fault = None
    with monkeypatch.context() as patch:
        patch.setattr(template_watch, "watch_texts", locked)
        assert said(watch)[0][0] == "templates_not_checked"
    assert said(watch) == []


def test_a_look_that_breaks_is_logged_and_reported_and_forgets_nothing(watch, deps, monkeypatch):
    deps.notebook.pages.clear()
    assert len(said(watch)) == 22
    reported, fault = [], KeyError("nobody expected it")

    def broken(_):
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(template_watch, "watch_texts", broken)
        patch.setattr(template_watch, "report", reported.append)
        assert [event for event, _ in said(watch)] == ["templates_check_crashed"]
    assert reported == [fault] and said(watch) == []


def test_a_look_returns_at_once_and_there_is_one_check_at_a_time_and_one_in_45_seconds(deps, monkeypatch):
    time, going, checks = [0.0], Event(), []
    monkeypatch.setattr(template_watch.time, "monotonic", lambda: time[0])
    monkeypatch.setattr(template_watch, "watch_texts", lambda _: checks.append(going.wait(60)) or {})
    watch = TemplateWatch(lambda: deps)

    def look_at(moment):
        time[0] = moment
        watch.look()
        return watch._thread

    first = look_at(0)
    assert look_at(500) is first, "it is still going on"
    going.set()
    first.join()
    second = look_at(501)
    second.join()
    assert look_at(545) is second
    look_at(546).join()
    assert len(checks) == 3
