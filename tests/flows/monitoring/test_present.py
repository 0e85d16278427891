"""What counts now: nothing that is over, and what has just failed, though it is noted, told and ended later."""

import pytest

from funnel_app.campaigns.states import BADLY_ENDED
from funnel_app.flows.console.pausing import PauseRequest, pause_sending
from funnel_app.flows.console.template_pages import read_again, stand_of
from funnel_app.flows.console.today import look_at_today
from funnel_app.flows.monitoring.alerts.incidents import note
from funnel_app.flows.monitoring.doctor import examine_and_keep
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.monitoring.probes.templates import watch_texts
from funnel_app.flows.monitoring.probes.watch import watch
from funnel_app.flows.templates.audit import audit_templates
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger import incidents
from tests.console_world import send
from tests.factories import make_deps
from tests.flows.leads import opt_in, write_templates
from tests.flows.monitoring.live import GOOD, LIVE
from tests.flows.monitoring.status.test_going_out import STOPS

KEY, TITLE = "christmas_email_2", "Day 2: the $500K mistake"
BROKEN = "<p>{{ first_nam }}</p>"


@pytest.fixture
def live(deps):
    deps = make_deps(deps.engine, **LIVE)
    write_templates(deps, GOOD)
    return deps


def said(deps):
    return current_headline(deps).sentence


def open_kinds(deps):
    with deps.reads() as session:
        return {each.kind for each in incidents.current(session)}


OUTAGES = [name for name in STOPS if "pause" not in name]


@pytest.mark.parametrize("stop", OUTAGES)
def test_a_pause_right_after_an_outage_is_explained_by_itself_alone(live, stop):
    begin, end = STOPS[stop]
    begin(live)
    for _ in range(5):
        watch(live)
        live.now.forward(seconds=10)
    assert [wrong.name for wrong in look_at_today(live).stopped_by]
    end(live)
    pause_sending(live, PauseRequest("all", "typo in it", ""), "Olga")
    seen = look_at_today(live)
    assert open_kinds(live) and "still until somebody resumes it" in seen.headline.sentence
    assert (list(seen.stopped_by), list(seen.headline.needs)) == ([], [])


def test_what_is_late_is_said_at_once_and_not_while_a_pause_explains_it(live):
    opt_in(live)
    live.now.forward(seconds=70)
    assert said(live) == "1 thing needs you: Emails are late: 1 due for over 60 seconds and not sent"
    watch(live)
    pause_sending(live, PauseRequest("all", "typo in it", ""), "Olga")
    assert "overdue" in open_kinds(live) and current_headline(live).needs == ()


@pytest.mark.parametrize("state", BADLY_ENDED)
def test_what_did_not_arrive_is_said_at_once_and_told_in_chats_with_all_of_its_minute(live, state):
    send(live, opt_in(live), 1, f"email.{state}", "said its server")
    name = said(live)
    assert name.startswith("1 thing needs you: Emails ") and "1 email to a***@resend.dev" in name
    (wrong,) = look_at_today(live).incidents.values()
    assert "ana@resend.dev" in wrong.detail and not wrong.passes, "not noted yet, so not to be put aside"
    watch(live)
    notify(live)
    assert said(live) == name and live.alerts.posted == []


def test_a_text_is_broken_and_right_again_in_the_headline_when_its_page_says_so(live):
    watch_texts(live)
    live.notebook.write(KEY, html=BROKEN)
    read_again(live, KEY)
    assert said(live).startswith(f"1 thing needs you: A text cannot be sent ({TITLE}): ")
    assert stand_of(live, KEY).stand == "the newest text is broken"
    assert f"({TITLE}): leads get its last good text, since the body uses" in said(live)
    for _ in range(2):
        watch_texts(live)
        live.now.forward(seconds=45)
    live.notebook.write(KEY, html=GOOD)
    watch_texts(live)
    assert open_kinds(live) == {"text_broken"}, "which flaps perhaps, and is told once"
    assert said(live).startswith("All is well")


def test_what_the_audit_reads_is_known_on_every_page(live):
    watch_texts(live)
    live.notebook.write(KEY, html=GOOD, status="Draft")
    assert stand_of(live, KEY).stand == "serves", "nobody has read it yet"
    audit_templates(live)
    assert stand_of(live, KEY).stand == "held" and f"({TITLE})" in said(live)
    assert f'({TITLE}): its emails wait, since the template\'s status is "Draft"' in said(live)
    watch_texts(live)
    live.now.forward(seconds=45)
    watch_texts(live)
    notify(live)
    assert "its emails wait, since" in live.alerts.posted[-1][1] and "or go with" not in live.alerts.posted[-1][1]


@pytest.mark.both_databases
def test_a_notion_that_answers_again_is_not_called_away(live):
    watch_texts(live)
    live.notebook.fault = Unavailable("notion", "503")
    for _ in range(3):
        live.now.forward(seconds=45)
        with pytest.raises(Unavailable):
            watch_texts(live)
    assert "Notion cannot be read" in said(live)
    live.notebook.fault = None
    live.now.forward(seconds=5)
    watch_texts(live)
    assert open_kinds(live) == {"notion_away"} and said(live).startswith("All is well")


def test_what_nobody_can_ask_again_counts_for_as_long_as_it_was_seen(live):
    note(live, {("jobs_failed", ""): "1 failed"}, ())
    assert said(live).startswith("All is well"), "asked again, there is none"
    live.process_status.away = True
    assert "jobs_failed" in open_kinds(live)
    live.process_status.away = False
    note(live, {("web_away", ""): "it does not answer"}, ())
    live.now.forward(seconds=20)
    assert "The public address does not answer" in said(live)
    live.now.forward(seconds=50)
    assert said(live).startswith("All is well")


def test_a_fault_found_just_now_stands_in_the_headline_though_its_alarm_waits_whether_it_lasts(live):
    examine_and_keep(live)
    well = said(live)
    live.notebook.fault = Unavailable("notion", "503")
    examine_and_keep(live)
    new = "All goes so far: a fault was found just now (notion token), and counts if it is still there in two minutes"
    assert said(live) == new and current_headline(live).state == "well"
    live.notebook.fault = None
    examine_and_keep(live)
    assert said(live) == well and "a fault was found" not in well


@pytest.mark.parametrize("stop", OUTAGES)
def test_what_stops_sending_needs_attention_as_soon_as_the_headline_says_so(live, stop):
    STOPS[stop][0](live)
    at_once = look_at_today(live)
    assert at_once.headline.state == "stopped" and open_kinds(live) == set(), "nobody has noted it yet"
    (wrong,) = at_once.stopped_by
    assert wrong.detail in at_once.headline.sentence or stop == "a key that Resend refuses"
    watch(live)
    (noted,) = look_at_today(live).stopped_by
    assert (noted.name, noted.detail) == (wrong.name, wrong.detail)
