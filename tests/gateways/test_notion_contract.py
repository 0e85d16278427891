"""The gateway over HTTP against the stand-in: every page of every list, texts of any length, away without delay."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from funnel_app.flows.sending.backlog import deliver_due
from funnel_app.gateways.notion.budget import NotionBudget
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.notion.templates import NotionTemplates
from sandbox.notion.state import TEMPLATES_DATABASE_ID, Page, new_id, plain, text_item
from sandbox.server import Server
from sandbox.settings import Fault
from tests.flows.leads import email_ids, look, opt_in, states
from tests.flows.mirror.workspaces import calls
from tests.gateways.test_notion import Time

SENT_IN_ORDER = [f"About lead_nurture_email_{number}" for number in (1, 2, 3, 4, 5)]


def notebook_in(notion: Server, now, sleep) -> NotionTemplates:
    budget = NotionBudget(None, 3.0, now=now, sleep=sleep)
    asking = NotionCalls("ntn_sandbox", notion.notion_url, budget=budget)
    return NotionTemplates("ntn_sandbox", TEMPLATES_DATABASE_ID, calls=asking)


@pytest.fixture
def notebook(notion: Server) -> Iterator[NotionTemplates]:
    time = Time()
    built = notebook_in(notion, time.now, time.sleep)
    yield built
    built.close()


def put_template(notion: Server, name: str, html: str = "<p>Hi {{ first_name }}</p>", pieces: list[str] | None = None):
    state, at = notion.sandbox.notion, notion.sandbox.now()
    source_id = state.databases[TEMPLATES_DATABASE_ID].source_ids[0]
    values = {
        "Template Name": plain(name),
        "Subject Line": plain(f"About {name}"),
        "Email Body HTML": [text_item(piece) for piece in pieces or [html]],
        "Status": {"id": "a", "name": "Active", "color": "default"},
    }
    page = Page(new_id(), source_id, source_id, values, at, at)
    state.pages[page.id] = page
    return page


def test_250_templates_are_read_over_three_pages_of_the_list(notebook, notion):
    names = [f"template_{number:03}" for number in range(250)]
    for name in names:
        put_template(notion, name)
    calls(notion)
    assert [page.name for page in notebook.list_templates()] == names
    assert calls(notion)["POST /data_sources/{id}/query"] == 3
    assert notebook.find_templates("template_249")[0].subject == "About template_249"


@pytest.mark.parametrize("storm", [[Fault(status=429, retry_after=1)], [Fault(status=529)], [Fault(drop=True)]])
def test_a_list_survives_a_refusal_on_each_of_its_pages(notebook, notion, storm):
    for number in range(250):
        put_template(notion, f"template_{number:03}")
    notion.sandbox.settings.notion.fail = [*storm, Fault()] * 4
    assert len(notebook.list_templates()) == 250


@pytest.mark.parametrize("count", [21, 25, 40])
def test_a_body_in_many_pieces_is_read_whole(notebook, notion, count):
    pieces = [f"{number:04}" + "é" * 1994 + "🎄" for number in range(count)]
    put_template(notion, "long", pieces=pieces)
    assert notebook.find_templates("long")[0].html == "".join(pieces)
    assert notebook.list_templates()[0].html == "".join(pieces)


@pytest.mark.parametrize("away", [Fault(drop=True), Fault(status=503), Fault(status=429, retry_after=60)])
def test_notion_away_for_ten_minutes_delays_no_email_that_has_a_good_version(deps, notion, away):
    for number in range(1, 6):
        put_template(notion, f"lead_nurture_email_{number}")
    object.__setattr__(deps, "notebook", notebook_in(notion, lambda: deps.now().timestamp(), deps.sleep))
    first = opt_in(deps, "first@resend.dev")
    for email_id in email_ids(first):
        deliver_due(deps, email_id)
        deps.now.forward(minutes=1)
    assert states(deps, first) == ["sent"] * 5, "every text was read once"
    notion.sandbox.settings.notion.fail_always = away
    deps.mailer.accepted.clear()
    receipt = opt_in(deps, "second@resend.dev")
    for email_id in email_ids(receipt):
        for _ in range(2):
            due = look(deps, email_id).due_at
            deps.now.at = max(due, deps.now())
            deliver_due(deps, email_id)
        assert look(deps, email_id).sent_at - due < timedelta(seconds=10)
        deps.now.forward(seconds=30)
    assert [sent["subject"] for sent in deps.mailer.sent()] == SENT_IN_ORDER
    asked = sum(calls(notion).values())
    assert asked < 80


def test_notion_is_asked_again_when_it_is_back(deps, notion):
    put_template(notion, "lead_nurture_email_1")
    object.__setattr__(deps, "notebook", notebook_in(notion, lambda: deps.now().timestamp(), deps.sleep))
    notion.sandbox.settings.notion.fail_always = Fault(status=503)
    first = email_ids(opt_in(deps))[0]
    deliver_due(deps, first)
    assert look(deps, first).state == "held"
    notion.sandbox.settings.notion.fail_always = None
    deps.now.forward(seconds=31)
    assert deps.notebook.find_templates("lead_nurture_email_1")
