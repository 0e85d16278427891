"""Templates: which text serves, when a change is adopted, and the words in which people hear why none does."""

import pytest
from sqlalchemy import select

from funnel_app.flows.templates import NotReady, ready_version
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.ledger.models import TemplateVersion

KEY = "christmas_email_1"
AWAY = Unavailable("notion", "503")


@pytest.fixture
def notion(deps):
    deps.notebook.write(KEY, html="<p>first</p>")
    return deps.notebook


def serves(deps) -> str:
    return ready_version(deps, KEY).html


def why_not(deps) -> str:
    with pytest.raises(NotReady) as fault:
        ready_version(deps, KEY)
    return str(fault.value)


def test_a_good_text_serves_at_once_and_is_asked_for_once_a_minute(deps, notion):
    for _ in range(3):
        assert serves(deps) == "<p>first</p>"
    assert notion.asked == [KEY]
    deps.now.forward(seconds=60)
    serves(deps)
    assert notion.asked == [KEY, KEY]


def test_a_changed_text_serves_when_it_was_quiet_for_two_minutes(deps, notion):
    serves(deps)
    deps.now.forward(seconds=61)
    notion.write(KEY, html="<p>half ty</p>")
    assert serves(deps) == "<p>first</p>"
    deps.now.forward(seconds=61)
    notion.write(KEY, html="<p>half typed, now whole</p>")
    assert serves(deps) == "<p>first</p>"
    deps.now.forward(seconds=100)
    assert serves(deps) == "<p>first</p>", "the change was seen 100 s ago"
    deps.now.forward(seconds=20)
    assert serves(deps) == "<p>half typed, now whole</p>"


def test_a_text_that_was_mended_serves_at_once_where_nothing_good_was_there(deps, notion):
    notion.write(KEY, html="<p>{{ nobody_knows }}</p>")
    assert "nobody_knows" in why_not(deps)
    notion.write(KEY, html="<p>mended</p>")
    deps.now.forward(seconds=61)
    assert serves(deps) == "<p>mended</p>"


def test_a_blocked_text_never_replaces_a_good_one(deps, notion):
    serves(deps)
    notion.write(KEY, html="<p>{{ first_name </p>")
    deps.now.forward(days=3)
    assert serves(deps) == "<p>first</p>"


@pytest.mark.parametrize(
    ("withdraw", "words"),
    [
        (lambda notion: notion.pages.pop(KEY), "no page in the templates database is named christmas_email_1"),
        (lambda notion: notion.write(KEY, html="<p>first</p>", status="Draft"), "Draft"),
        (lambda notion: notion.write(f"{KEY} copy"), "2 pages answer to christmas_email_1"),
    ],
)
def test_a_text_that_was_withdrawn_holds(deps, notion, withdraw, words):
    serves(deps)
    withdraw(notion)
    deps.now.forward(seconds=61)
    assert words in why_not(deps)


def test_a_text_that_comes_back_unchanged_serves_at_once(deps, notion):
    serves(deps)
    notion.pages.clear()
    deps.now.forward(seconds=61)
    why_not(deps)
    notion.write(KEY, html="<p>first</p>")
    deps.now.forward(seconds=61)
    assert serves(deps) == "<p>first</p>"


@pytest.mark.parametrize("fault", [AWAY, Rejected("notion", "the token is not valid")])
def test_while_notion_is_away_the_last_good_text_serves_for_a_day(deps, notion, fault):
    serves(deps)
    notion.fault = fault
    deps.now.forward(hours=24)
    assert serves(deps) == "<p>first</p>"
    deps.now.forward(minutes=1)
    assert why_not(deps) == (
        "template christmas_email_1: Notion cannot be reached, and the last good version is over a day old"
    )
    notion.fault = None
    deps.now.forward(seconds=31)
    assert serves(deps) == "<p>first</p>"


def test_a_text_that_was_never_read_cannot_serve_while_notion_is_away(deps, notion):
    notion.fault = AWAY
    assert why_not(deps) == "template christmas_email_1: Notion cannot be reached, and no version of it was ever read"


def test_a_notion_that_is_away_is_asked_again_after_half_a_minute(deps, notion):
    notion.fault = AWAY
    for _ in range(5):
        why_not(deps)
    assert len(notion.asked) == 1
    deps.now.forward(seconds=31)
    why_not(deps)
    assert len(notion.asked) == 2


def test_every_text_that_was_seen_is_kept_once(deps, notion):
    for html in ("<p>first</p>", "<p>second</p>", "<p>first</p>"):
        notion.write(KEY, html=html)
        deps.now.forward(seconds=61)
        serves(deps)
    with deps.reads() as session:
        kept = session.scalars(select(TemplateVersion).order_by(TemplateVersion.fetched_at)).all()
    assert [version.html for version in kept] == ["<p>first</p>", "<p>second</p>"]
    assert kept[0].since_at > kept[1].since_at, "the first text is what Notion has again"
