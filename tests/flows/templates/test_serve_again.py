"""Serve again: an earlier text goes out by a person's word, until Notion changes; and how a template stands."""

from dataclasses import replace

import pytest

from funnel_app.flows.templates.serve_again import CannotServe, serve_again
from funnel_app.flows.templates.serving import check_templates, known, ready_version
from funnel_app.flows.templates.standing import kept_manually, standing_of
from funnel_app.ledger import template_versions
from funnel_app.ledger.models import TemplateVersion
from funnel_app.ledger.operator_actions import OperatorAction
from tests.factories import one_sequence

KEY = "christmas_email_1"


@pytest.fixture
def deps(deps):
    """Collaborators for the one sequence that the template is of: each minute all that there are would be read."""
    return replace(deps, registry=one_sequence("five_day"))


@pytest.fixture
def notion(deps):
    """Two good texts, one after the other; the second serves."""
    for html in ("<p>first</p>", "<p>second</p>"):
        write(deps, html)
        look_for(deps, minutes=3)
    return deps.notebook


def write(deps, html: str, **more) -> None:
    deps.notebook.write(KEY, html=html, **more)


def look_for(deps, minutes: int) -> None:
    for _ in range(minutes):
        check_templates(deps)
        deps.now.forward(seconds=60)


def serves(deps) -> str:
    return ready_version(deps, KEY).html


def version(deps, html: str) -> TemplateVersion:
    with deps.reads() as session:
        found = template_versions.of_key(session, KEY, 10)
        return next(each for each in found if template_versions.get(session, each.id).html == html)


def choose(deps, html: str) -> str:
    return serve_again(deps, KEY, version(deps, html).id, "Olga")


def stands(deps) -> str:
    return str(standing_of(*known(deps.reads, KEY), deps.now()).stand)


def test_an_earlier_text_serves_by_a_person_s_word_and_it_is_written_down(deps, notion):
    assert serves(deps) == "<p>second</p>"
    assert "serves again, until its page in Notion changes again" in choose(deps, "<p>first</p>")
    assert (serves(deps), stands(deps)) == ("<p>first</p>", "an older text, as chosen")
    assert kept_manually(deps) == [KEY]
    with deps.reads() as session:
        (row,) = session.query(OperatorAction).all()
    assert (row.operator, row.action, row.detail[:17]) == ("Olga", "serve_again", KEY)


def test_it_serves_until_notion_changes_again(deps, notion):
    choose(deps, "<p>first</p>")
    look_for(deps, minutes=10)
    assert serves(deps) == "<p>first</p>", "Notion has the same text as when the person chose"
    write(deps, "<p>third</p>")
    look_for(deps, minutes=1)
    assert (serves(deps), stands(deps)) == ("<p>first</p>", "a newer text waits")
    look_for(deps, minutes=3)
    assert (serves(deps), stands(deps)) == ("<p>third</p>", "serves")
    assert kept_manually(deps) == []


def test_the_text_that_notion_has_is_chosen_back(deps, notion):
    choose(deps, "<p>first</p>")
    deps.now.forward(seconds=5)
    assert choose(deps, "<p>second</p>").endswith("serves again")
    look_for(deps, minutes=3)
    assert (serves(deps), stands(deps)) == ("<p>second</p>", "serves")


def test_a_worker_that_looked_before_does_not_undo_the_choice(deps, notion):
    latest, _ = known(deps.reads, KEY)
    choose(deps, "<p>first</p>")
    deps.now.forward(seconds=1)
    with deps.sessions.begin() as session:
        template_versions.adopt(session, latest, deps.now())
    assert serves(deps) == "<p>first</p>"


def test_what_is_withdrawn_holds_also_where_a_person_chose(deps, notion):
    choose(deps, "<p>first</p>")
    write(deps, "<p>second</p>", status="Draft")
    look_for(deps, minutes=1)
    assert stands(deps) == "held"
    with pytest.raises(CannotServe, match=r'"Draft".*Fix that in Notion first'):
        choose(deps, "<p>first</p>")


@pytest.mark.parametrize(
    ("html", "words"), [("<p>second</p>", "serves already"), ("<p>{{ typo }}</p>", "cannot be sent")]
)
def test_what_serves_already_or_cannot_be_sent_is_refused(deps, notion, html, words):
    write(deps, "<p>{{ typo }}</p>")
    look_for(deps, minutes=1)
    assert stands(deps) == "the newest text is broken"
    with pytest.raises(CannotServe, match=words):
        choose(deps, html)


def test_a_version_of_another_key_is_none(deps, notion):
    with pytest.raises(CannotServe, match="no such version"):
        serve_again(deps, "christmas_email_2", version(deps, "<p>first</p>").id, "Olga")


def test_a_template_that_nobody_read_or_could_read_for_a_day_says_so(deps, notion):
    assert standing_of(None, None, deps.now()).stand == "never read"
    deps.now.forward(hours=25)
    assert stands(deps) == "not read for a day"


def test_a_draft_is_held_and_nothing_else(deps):
    write(deps, "<p>first</p>", status="Draft")
    look_for(deps, minutes=1)
    found = standing_of(*known(deps.reads, KEY), deps.now())
    assert (str(found.stand), found.serving, found.waiting) == ("held", None, None) and "Draft" in found.why
