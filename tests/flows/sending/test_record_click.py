"""What readers do is kept, counted without programs, no proof of anything, and told where they book nothing."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.flows.console.figures import count_figures, last_days
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.monitoring.notifications.looked_without_booking import notify_of_undecided
from funnel_app.flows.privacy.erase import erase
from funnel_app.flows.privacy.export import export
from funnel_app.flows.sending.record_click import forget_who_clicked
from funnel_app.flows.sending.record_event import record_event
from funnel_app.flows.tracing.trace import trace
from funnel_app.rules.clicks import Click
from funnel_app.rules.reports import Report
from tests.factories import make_deps
from tests.flows.leads import call, email_ids, look, opt_in

ANA, BOOKING = "ana@resend.dev", "https://calendly.com/businessx/diagnostic-call"
FIREFOX, OTHER = "Mozilla/5.0 Firefox/145.0", "https://businessx.example/about"


@pytest.fixture
def live(engine):
    return make_deps(engine, testing_mode=False, leads_webhook_url="https://chat.example/leads")


def first_of(deps, address=ANA):
    email_id = email_ids(opt_in(deps, address))[0]
    tell(deps, email_id, "email.delivered")
    return email_id


def tell(deps, email_id, kind, click=None, event_id=None):
    detail = click.link if click else None
    report = Report(
        provider_event_id=event_id or f"msg_{uuid4()}", kind=kind, at=deps.now(), resend_id="r", email_id=email_id,
        detail=detail, click=click,
    )  # fmt: skip
    return record_event(deps, report)


def click(deps, email_id, link=BOOKING, agent=FIREFOX, event_id=None):
    return tell(deps, email_id, "email.clicked", Click(deps.now(), link, "203.0.113.7", agent), event_id)


def counted(deps):
    found = {row.key: row for row in count_figures(deps, last_days(deps, 7)).templates}["lead_nurture_email_1"]
    return found.opened, found.clicked


def test_openings_and_clicks_stand_in_the_story_and_in_the_figures_once(live):
    first = first_of(live)
    tell(live, first, "email.opened")
    assert [click(live, first, event_id="msg_1"), click(live, first, event_id="msg_1")] == [True, False]
    click(live, first)
    said = [line["what"] for line in trace(live, ANA)["story"]]
    assert f"Resend reports: clicked: {BOOKING}" in said and "Resend reports: opened" in said
    assert counted(live) == (1, 1)


@pytest.mark.parametrize("kind", ["email.opened", "email.clicked"])
def test_no_click_proves_a_delivery_that_was_not_told(live, kind):
    email_id = email_ids(opt_in(live))[0]
    tell(live, email_id, kind, Click(live.now(), BOOKING, None, FIREFOX) if kind == "email.clicked" else None)
    assert look(live, email_id).state == "planned"


@pytest.mark.parametrize("agents", [(FIREFOX, FIREFOX), ("Barracuda Sentinel", "Barracuda Sentinel")])
def test_what_looks_into_every_link_is_marked_and_not_counted(live, agents):
    first = first_of(live)
    for link, agent in zip((BOOKING, OTHER), agents, strict=True):
        live.now.forward(seconds=1)
        click(live, first, link, agent)
    assert counted(live) == (0, 0)
    said = [line["what"] for line in trace(live, ANA)["story"]]
    assert sum("a program that looks into links" in what for what in said) == 2
    live.now.forward(hours=25)
    assert notify_of_undecided(live) == 0


def test_a_lead_who_looks_at_the_booking_page_and_books_nothing_is_told_once(live):
    first = first_of(live)
    click(live, first)
    live.now.forward(hours=23)
    assert notify_of_undecided(live) == 0
    live.now.forward(hours=2)
    assert [notify_of_undecided(live), notify_of_undecided(live)] == [1, 0]
    live.now.forward(hours=20)
    assert notify_of_undecided(live) == 0


@pytest.mark.parametrize(
    ("event", "minutes"), [(Event.BOOKING, 60), (Event.BOOKING, -60), (Event.ONBOARDING, 60)]
)  # fmt: skip
def test_who_has_a_call_to_come_or_became_a_client_is_not_told_of(live, event, minutes):
    first = first_of(live)
    live.now.forward(hours=2)
    about = {"occurrence": "E1", "call_at": live.now() + timedelta(days=5)} if event is Event.BOOKING else {}
    if minutes < 0:
        enrol(live, call(ANA, event, **about))
    click(live, first)
    live.now.forward(minutes=1)
    if minutes > 0:
        enrol(live, call(ANA, event, **about))
    live.now.forward(hours=25)
    assert notify_of_undecided(live) == 0


def test_tests_and_chats_that_are_not_set_tell_nothing(sqlite, live):
    click(live, first_of(live))
    live.now.forward(hours=25)
    silent = replace(live, settings=replace(live.settings, leads_webhook_url=None))
    assert notify_of_undecided(silent) == 0
    testing = make_deps(sqlite, leads_webhook_url="https://chat.example/leads")
    testing.now.forward(hours=25)
    click(testing, first_of(testing, "bo@resend.dev"))
    testing.now.forward(hours=25)
    assert notify_of_undecided(testing) == 1, "the live lead alone"


@pytest.mark.both_databases
def test_an_erasure_and_a_month_reach_where_a_reader_was(live):
    first = first_of(live)
    click(live, first)
    assert export(live, ANA)["opened_and_clicked"][0]["ip"] == "203.0.113.7"
    live.now.forward(days=31)
    assert [forget_who_clicked(live), forget_who_clicked(live)] == [1, 0]
    assert export(live, ANA)["opened_and_clicked"][0] | {"at": ""} == {
        "at": "", "what": "clicked", "by": "person", "link": BOOKING, "ip": None, "agent": None,
    }  # fmt: skip
    erase(live, ANA)
    click(live, first)
    assert counted(live) == (0, 0)


def test_on_postgresql_too(postgres):
    deps = make_deps(postgres, testing_mode=False, leads_webhook_url="https://chat.example/leads")
    first = first_of(deps)
    click(deps, first)
    click(deps, first_of(deps, "bo@resend.dev"))
    click(deps, first, OTHER)
    assert counted(deps) == (0, 1)
    deps.now.forward(hours=25)
    assert notify_of_undecided(deps) == 1
