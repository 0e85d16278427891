"""What the console's pages say: titles and subjects as people read them, and its own buttons instead of commands."""

import re
from html.parser import HTMLParser

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.spoken import sentence
from funnel_app.flows.console import operate
from funnel_app.flows.monitoring.alerts.alarms import ALARMS
from funnel_app.flows.monitoring.alerts.invariants import INVARIANTS
from funnel_app.flows.sending.eligibility import CURES
from funnel_app.flows.templates.audit import CURES as TEXT_CURES
from funnel_app.flows.templates.serving import observe
from funnel_app.web.console.shared.said import said
from tests.apps import application
from tests.console_world import hold, send, sign_up
from tests.factories import make_deps
from tests.flows.leads import email_ids, write_templates
from tests.sqlite_files import open_copy
from tests.web.console import Operator

KEY, LATER = "christmas_email_1", "lead_nurture_email_2"
TAGGED = "Your results{% if deadline_date is known %}, and why {{ deadline_date }} matters{% endif %}"
READ = "Your results, and why December 5 matters"
# What a lead lacks and what cannot be read stand as they are typed: that is what somebody has to fix.
BROKEN = {"christmas_email_2": "Half {% if", "christmas_email_3": "For {{ nobody_knows }}"}


@pytest.fixture(scope="module")
def place(migrated_sqlite, tmp_path_factory):
    """A ledger with a few leads and an operator at its console, whose subject lines hold tags."""
    engine = open_copy(migrated_sqlite, tmp_path_factory.mktemp("words") / "funnel.db")
    deps = make_deps(engine)
    write_templates(deps)
    for key, subject in {KEY: TAGGED, LATER: TAGGED, **BROKEN}.items():
        deps.notebook.write(key, subject=subject)
    operator = Operator(application(deps).test_client())
    operator.log_in()
    world = {"delivered": sign_up(deps, 0), "client": sign_up(deps, 2, Event.ASSESSMENT)}
    send(deps, world["delivered"])
    sign_up(deps, 2, Event.ONBOARDING)
    world["held"] = hold(deps)
    operate.pause(deps, world["delivered"].enrolment_id, "Olga")
    for key in (KEY, LATER, *BROKEN):
        observe(deps, key)
    yield operator, world
    engine.dispose()


@pytest.mark.parametrize("path", ["templates", "calendar", f"templates/{KEY}", "search?words=your+results"])
def test_a_subject_is_shown_as_its_reader_sees_it(place, path):
    text = place[0].get(f"/console/{path}").text
    assert READ in text and "deadline_date" not in text


@pytest.mark.parametrize(
    ("words", "told"),
    [("", ""), ("it waits", "It waits."), ("it waits.", "It waits."), ("is Redis away?", "Is Redis away?")],
)
def test_a_sentence_ends_once(words, told):
    assert sentence(words) == told


def test_a_subject_that_cannot_be_read_is_shown_as_typed(place):
    text = place[0].get("/console/templates").text
    assert all(subject in text for subject in BROKEN.values())


def pages(world):
    return (
        *("", "calendar", "leads", "log", "templates/lead_nurture_email_1"),
        f"leads/{world['held'].contact_id}",
        f"emails/{email_ids(world['held'])[0]}",
    )


def test_nowhere_a_reason_calls_an_email_by_its_key(place):
    operator, world = place
    for path in pages(world):
        text = operator.get(f"/console/{path}").text
        assert "template lead_nurture" not in text and "template christmas" not in text, path
    assert "Its text in Notion: no page in the templates database" in operator.get("/console/").text


def test_what_came_in_is_called_as_people_call_it(place):
    operator, world = place
    text = operator.get("/console/hooks").text
    for words in (">Sign-up</a>", ">New client</a>", ">Assessment</a>", "Christmas Surge, by the website"):
        assert words in text, words
    page = operator.get(f"/console/hooks/{world['delivered'].hook_id}").text
    assert "<h1>Sign-up" in page and "5 emails were planned." in page and "The answer that its sender got" in page


TOLD = [
    *(alarm.fix for alarm in ALARMS.values()),
    *(f"{each.fix}; {each.recovery}" for each in INVARIANTS.values()),
    *CURES.values(),
    *TEXT_CURES.values(),
    "failed: no (once that is fixed: flask emails retry 0197a000-0000-7000-8000-000000000001).",
    "in Resend, then run flask emails resolve 0197a000-0000-7000-8000-000000000001 delivered, failed or not-sent; so",
    "email 1 was due today at 09:00 and has not gone yet; flask doctor says what to do.",
    "resume it with flask sending resume, or under Pauses in the console",
    "queued: see flask trace for what becomes of it",
]
# What no page can do: it is done on the machine.
ONLY_THERE = r"flask (?:--app wsgi )?(?:resend|ledger|notion|calendly|db|templates populate)"


@pytest.mark.parametrize("words", TOLD)
def test_what_a_button_does_is_not_told_as_a_command(place, words):
    with place[0].client.application.app_context():
        told = said(words)
    assert "flask" not in re.sub(ONLY_THERE, "", told), told
    assert "  " not in told and "01" not in told


class LooksAgain(HTMLParser):
    """Collects by id what can have the focus or be opened within what looks again by itself."""

    def __init__(self):
        super().__init__()
        self.inside, self.found, self.lost = 0, [], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if self.inside or "every" in given.get("data-hx-trigger", ""):
            self.inside += tag not in {"input", "br", "wbr", "img", "meta", "link", "hr"}
        if self.inside and tag in {"a", "button", "summary", "select"}:
            self.found.append(given.get("id"))
            self.lost += [given] if "id" not in given else []

    def handle_endtag(self, tag):
        self.inside -= self.inside > 0


def test_what_has_the_focus_where_a_page_looks_again_by_itself_has_an_id_to_get_it_back_by(place):
    operator, world = place
    looking = {path: operator.get(f"/console/{path}").text for path in ("", "leads", "hooks", "log")}
    looking |= {f"lead {who}": operator.get(f"/console/leads/{each.contact_id}").text for who, each in world.items()}
    for path, text in looking.items():
        region = LooksAgain()
        region.feed(text)
        assert region.found and region.lost == [], path
        assert len(set(region.found)) == len(region.found), path
