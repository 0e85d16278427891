"""Templates: which text serves, when a change is adopted, and the words in which people hear why none does."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import sleep

import pytest
from sqlalchemy import select

from funnel_app.flows.templates import drafts
from funnel_app.flows.templates.serving import NotReady, check_templates, ready_version
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
    deps.now.forward(seconds=59)
    assert serves(deps) == "<p>first</p>", "the last look is 59 s old, so the text was seen quiet for 100 s only"
    deps.now.forward(seconds=1)
    assert serves(deps) == "<p>half typed, now whole</p>"


def test_a_text_that_was_seen_once_is_not_quiet_because_notion_went_away(deps, notion):
    serves(deps)
    deps.now.forward(seconds=61)
    notion.write(KEY, html="<p>half ty</p>")
    serves(deps)
    notion.fault = AWAY
    deps.now.forward(minutes=10)
    assert serves(deps) == "<p>first</p>"


def test_a_text_that_was_fixed_serves_at_once_where_nothing_good_was_there(deps, notion):
    notion.write(KEY, html="<p>{{ nobody_knows }}</p>")
    assert "nobody_knows" in why_not(deps)
    notion.write(KEY, html="<p>fixed</p>")
    deps.now.forward(seconds=61)
    assert serves(deps) == "<p>fixed</p>"


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
        f"template christmas_email_1: Notion cannot be asked ({fault}), and the last good version is over a day old"
    )
    notion.fault = None
    deps.now.forward(seconds=31)
    assert serves(deps) == "<p>first</p>"


def test_a_text_that_was_never_read_cannot_serve_while_notion_is_away(deps, notion):
    notion.fault = AWAY
    assert why_not(deps) == (
        "template christmas_email_1: Notion cannot be asked (notion: 503), and no version of it was ever read"
    )


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


@pytest.mark.both_databases
def test_however_many_workers_need_a_text_one_of_them_reads_it(deps):
    """Eight threads on five keys, again and again; what they all get is the text."""
    keys = deps.registry.template_keys()[:5]
    for key in keys:
        deps.notebook.write(key, html=f"<p>{key}</p>")
    deps = replace(deps, sleep=sleep)
    with ThreadPoolExecutor(8) as workers:
        got = list(workers.map(lambda key: (key, ready_version(deps, key).html), keys * 16))
    assert set(got) == {(key, f"<p>{key}</p>") for key in keys}
    assert sorted(deps.notebook.asked) == sorted(keys)


def test_a_worker_that_died_while_reading_lets_the_old_text_serve(deps, notion):
    serves(deps)
    deps.now.forward(seconds=61)
    assert deps.fetch_lock.claim(KEY), "somebody else reads, and is never heard of again"
    assert serves(deps) == "<p>first</p>"
    deps.now.forward(seconds=61)
    notion.write(KEY, html="<p>second</p>")
    serves(deps)
    assert len(notion.asked) == 2


def test_where_nothing_was_ever_read_a_second_worker_waits_a_little_for_the_first(deps, notion):
    deps.fetch_lock.claim(KEY)
    begun = deps.now()
    assert why_not(deps) == (
        f"template {KEY}: another worker has not read it from Notion yet, and no version of it was ever read"
    )
    assert (deps.now() - begun).total_seconds() == 3
    assert notion.asked == []


def test_a_second_worker_hears_at_once_that_the_first_failed(deps, notion):
    deps.fetch_lock.claim(KEY)
    failing = replace(deps, sleep=lambda _: deps.fetch_lock.give_up(KEY, "notion: 503", everywhere=True))
    assert "Notion cannot be asked (notion: 503)" in why_not(failing)


def test_a_notion_that_is_away_is_away_for_every_text(deps, notion):
    notion.fault = AWAY
    for key in deps.registry.template_keys():
        with pytest.raises(NotReady):
            ready_version(deps, key)
    assert len(notion.asked) == 1


def test_a_page_that_notion_refuses_keeps_no_other_from_being_read(deps, notion):
    notion.fault = Rejected("notion", "404 object_not_found")
    assert "Notion cannot be asked (notion: 404 object_not_found)" in why_not(deps)
    notion.fault = None
    notion.write("christmas_email_2")
    assert ready_version(deps, "christmas_email_2").good
    assert "404" in why_not(deps)


def test_without_redis_the_last_good_text_serves_and_notion_is_not_asked(deps, notion, monkeypatch):
    serves(deps)
    deps.now.forward(minutes=5)

    def away(key):
        raise Unavailable("redis", "no route")

    monkeypatch.setattr(deps.fetch_lock, "claim", away)
    assert serves(deps) == "<p>first</p>"
    assert notion.asked == [KEY]


def test_a_text_is_judged_again_when_the_gate_has_learnt(deps, notion, monkeypatch):
    notion.write(KEY, html="<p>{{ new_variable }}</p>")
    assert "new_variable" in why_not(deps)
    monkeypatch.setattr(drafts, "NAMES", frozenset({"new_variable"}))
    deps.judge.verdicts.clear()  # as a new release begins
    deps.now.forward(seconds=61)
    assert "new_variable" in ready_version(deps, KEY).ready_html


def test_the_check_reads_everything_at_once_and_names_what_is_broken(deps, notion):
    for key in deps.registry.template_keys():
        notion.write(key)
    notion.write("christmas_email_2", html="<p>{{ first_nam }}</p>")
    del notion.pages["christmas_email_3"]
    broken = check_templates(deps)
    assert notion.asked == ["all"]
    assert set(broken) == {"christmas_email_2", "christmas_email_3"}
    assert "first_nam" in broken["christmas_email_2"]
    assert ready_version(deps, KEY).good and notion.asked == ["all"], "what the check read is fresh for a minute"
    with deps.reads() as session:
        kept = session.scalars(select(TemplateVersion)).all()
    assert len(kept) == 22 and [version.key for version in kept if version.adopted_at] == [KEY]


def test_the_check_adopts_what_is_quiet_so_that_no_older_text_comes_back(deps, notion):
    serves(deps)
    notion.write(KEY, html="<p>second</p>")
    for _ in range(2):
        deps.now.forward(minutes=2)
        check_templates(deps)
    notion.write(KEY, html="<p>third, half ty</p>")
    deps.now.forward(minutes=2)
    check_templates(deps)
    assert serves(deps) == "<p>second</p>"
