"""What is played is what would happen, by the real rules, and the real ledger does not know of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import delete

from funnel_app.campaigns.model import AtMost
from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.states import State
from funnel_app.flows.privacy.erase import erase
from funnel_app.flows.privacy.suppress import suppress
from funnel_app.flows.simulation.judge import warnings_of
from funnel_app.flows.simulation.play_year import rehearse
from funnel_app.flows.simulation.script import TITLES, NotUnderstood, write_script
from funnel_app.flows.simulation.simulate import simulate
from funnel_app.flows.templates.serving import check_templates
from funnel_app.ledger.models import Scope, TemplateVersion
from tests.factories import christmas_only
from tests.fakes import FrozenClock
from tests.flows.leads import count_all, opt_in, write_templates

AT, NOW = "2026-12-03 14:00", FrozenClock()()
STARTS = datetime.fromisoformat(AT + "-05:00")


@pytest.fixture
def deps(deps):
    write_templates(deps, "<p>Hi {{ first_name }}, {{ business_name }}</p>")
    check_templates(deps)
    return deps


def play(deps, sequence, at=AT, **more):
    script = write_script(deps.registry, sequence, now=deps.now(), at=at, **more)
    return simulate(deps, script), script.campaign


def told(calendar):
    """The calendar in short: what happened, and what came of each email, in Toronto's days from the start."""
    return [
        (round((each.at - STARTS) / timedelta(days=1), 1), each.what or f"{each.sequence} {each.step}", each.state)
        for each in calendar
    ]


def test_a_sequence_goes_as_its_file_says(deps):
    calendar, campaign = play(deps, "lead_nurture")
    assert told(calendar) == [
        (0.0, "opt_in", ""),
        *((float(day), f"lead_nurture {day + 1}", State.DELIVERED) for day in range(5)),
    ]
    assert calendar[1].subject == "About lead_nurture_email_1"
    assert "Hi Ana, Salon Ana" in calendar[1].text
    assert warnings_of(calendar, campaign, STARTS) == []


def test_what_happens_ends_and_starts_what_the_rules_say(deps):
    then = ["booking +1d call +6d", "no_show +7d", "maybe +8d", "unsubscribe +9d"]
    calendar, _ = play(deps, "five_day", then=then)
    assert [(each.what, each.came_of_it) for each in calendar if each.what] == [
        ("assessment", "starts five_day"),
        ("booking", "starts precall_prep; ends five_day"),
        ("no_show", "starts noshow_recovery"),
        ("maybe", "starts postcall_maybe; ends noshow_recovery"),
        ("unsubscribe", "ends all marketing"),
    ]
    gone = [(each.sequence, each.step) for each in calendar if each.gone]
    assert gone == [
        ("five_day", 1),
        *(("precall_prep", step) for step in (1, 2, 3)),
        ("noshow_recovery", 1),
        ("postcall_maybe", 1),
    ]


def test_what_starts_nothing_and_ends_something_says_only_that(deps):
    christmas = deps.registry.campaign("christmas")
    nurture = replace(christmas, sequences={"lead_nurture": christmas.sequences["lead_nurture"]})
    calendar, _ = play(replace(deps, registry=Registry({"christmas": nurture})), "lead_nurture", then=["booking +1d"])
    assert [each.came_of_it for each in calendar if each.what == "booking"] == ["ends lead_nurture"]


def test_nothing_of_it_is_in_the_real_ledger(deps):
    before = count_all(deps)
    play(deps, "lead_nurture", then=["assessment +1d"])
    assert count_all(deps) == before
    assert deps.mailer.calls == [] and deps.queues.clock == {}


def test_a_lead_of_the_ledger_brings_their_story(deps):
    opt_in(deps)
    later = f"{deps.now() + timedelta(days=1):%Y-%m-%dT%H:%M}+00:00"
    calendar, _ = play(deps, "five_day", at=later, lead="Ana@resend.dev")
    assert [(e.sequence, e.step, e.state) for e in calendar if e.template and e.sequence == "lead_nurture"] == [
        ("lead_nurture", 1, State.DELIVERED),
        *(("lead_nurture", step, State.CANCELLED) for step in (2, 3, 4, 5)),
    ]
    assert sum(each.gone for each in calendar if each.sequence == "five_day") == 5


def test_a_suppressed_lead_gets_nothing(deps):
    opt_in(deps)
    suppress(deps, "ana@resend.dev", Scope.ALL)
    calendar, _ = play(deps, "five_day", at="", lead="ana@resend.dev")
    assert not any(each.gone for each in calendar)


def test_a_lead_who_was_erased_and_came_again_gets_nothing(deps):
    erase(deps, "ana@resend.dev")
    opt_in(deps)
    calendar, _ = play(deps, "five_day", at="", lead="ana@resend.dev")
    assert not any(each.gone for each in calendar)


def test_a_stranger_is_named(deps):
    with pytest.raises(NotUnderstood, match=r"There is no lead bo@resend.dev; flask trace bo@resend.dev says"):
        play(deps, "five_day", at="", lead="bo@resend.dev")


def test_a_text_that_cannot_be_made_is_a_warning_and_what_comes_after_is_shown(deps):
    with deps.sessions.begin() as session:
        session.execute(delete(TemplateVersion).where(TemplateVersion.key == "christmas_email_2"))
    calendar, campaign = play(deps, "five_day", at="")
    assert [each.state for each in calendar if each.template].count(State.DELIVERED) == 4
    (warning,) = warnings_of(calendar, campaign, STARTS)
    assert warning.startswith("five_day 2 (") and "would be held: " in warning
    assert "christmas_email_2 in Notion: no text of it was ever read" in warning, "Notion was not asked"


def test_it_warns_of_emails_that_come_together(deps):
    calendar, campaign = play(deps, "onboarding_phase1", then=["booking +1h call +3d"])
    assert any("minutes after" in warning for warning in warnings_of(calendar, campaign, STARTS))


def test_what_came_before_the_start_is_no_warning(deps):
    calendar, campaign = play(deps, "onboarding_phase1", then=["booking +1h call +3d"])
    over = calendar[-1].at + timedelta(days=1)
    assert warnings_of(calendar, campaign, over) == []


def test_it_warns_of_a_deadline_that_is_over(deps):
    for key in deps.registry.template_keys():
        deps.notebook.write(key, html="<p>Hi {{ first_name }}, until December 5 we take salons.</p>")
    with deps.sessions.begin() as session:
        session.execute(delete(TemplateVersion))
    check_templates(deps)
    calendar, campaign = play(deps, "lead_nurture")
    assert [warning.partition(" (")[0] for warning in warnings_of(calendar, campaign, STARTS)] == [
        "lead_nurture 4",
        "lead_nurture 5",
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "five"}, "There is no sequence five; there are christmas/lead_nurture"),
        ({"at": "soon"}, "'soon' is not a time such as 2026-12-03 14:00"),
        ({"then": ["party +2d"]}, "'party \\+2d' is not an event and its time"),
        ({"then": ["booking"]}, "'booking' is not an event and its time"),
        ({"then": ["booking +2d call"]}, "'booking \\+2d call' is not an event"),
        ({"then": ["booking +99999999999d"]}, "is not a time such as"),
        # At both ends of the calendar there is no day before or after.
        ({"at": "9999-12-31 23:00"}, "is more than ten years away"),
        ({"at": "0001-01-01"}, "is more than ten years away"),
        ({"then": ["booking 9999-12-31"]}, "is more than ten years away"),
        ({"then": ["booking +1d call +99999d"]}, "is more than ten years away"),
        ({"then": ["booking 2020-01-01"]}, "lies before the start"),
        ({"then": ["booking +1d"] * 51}, "plays 50 events at most"),
        ({"sample": "nobody"}, "There is no sample nobody"),
        ({"lead": "ana@resend.dev", "at": "2020-01-01"}, "goes on from now"),
    ],
)
def test_what_cannot_be_played_is_said(given, words):
    with pytest.raises(NotUnderstood, match=words):
        write_script(christmas_only(), **{"name": "five_day", "now": NOW, **given})


def test_times_are_on_the_campaigns_clock_unless_they_say_otherwise():
    def at(text):
        return write_script(christmas_only(), "five_day", now=NOW, at=text).at

    assert at("2026-12-03 14:00") == datetime(2026, 12, 3, 19, tzinfo=UTC) == at("2026-12-03T20:00+01:00")
    assert at("") == NOW


def test_an_event_is_understood_in_whatever_letters():
    script = write_script(christmas_only(), "Five-Day  follow-up", now=NOW, then=[" No-Show  + 2d "])
    assert (script.sequence.name, script.then[0].what) == ("five_day", "no_show")
    assert script.then[0].at == NOW + timedelta(days=2)


@pytest.mark.parametrize(("title", "what"), TITLES.items())
def test_an_event_is_called_by_its_title_or_by_its_name(title, what):
    for called in (title, what):
        script = write_script(christmas_only(), "five_day", now=NOW, then=[f"{called} +2d call +4d"])
        assert (script.then[0].what, script.then[0].call_at) == (what, NOW + timedelta(days=4))


def test_the_grid_plays_every_sequence_through_the_year(deps, monkeypatch):
    monkeypatch.setattr("funnel_app.flows.simulation.play_year.AROUND", (0, 1))
    monkeypatch.setattr("funnel_app.flows.simulation.play_year.THROUGH_THE_YEAR", 1)
    campaign = deps.registry.campaign("christmas")
    few = {name: campaign.sequences[name] for name in ("lead_nurture", "precall_prep")}
    registry = replace(deps.registry, campaigns={"christmas": replace(campaign, sequences=few)})
    played = list(rehearse(replace(deps, registry=registry)))
    assert [(each.sequence, each.warnings) for each in played] == [("lead_nurture", ()), ("precall_prep", ())]
    assert all(each.starts >= 6 for each in played)


def test_what_gives_way_is_shown_with_its_reason_and_goes_later(deps):
    campaign = replace(deps.registry.campaign("christmas"), at_most=AtMost(1, timedelta(hours=20)))
    calendar, _ = play(replace(deps, registry=Registry({"christmas": campaign})), "lead_nurture", then=["maybe +1d"])
    gone = [each.at for each in calendar if each.gone]
    assert len(gone) == 8 and all(second - first >= timedelta(hours=20) for first, second in pairwise(gone))
    waits = [(each.what, each.came_of_it) for each in calendar if each.what.endswith("waits")]
    assert {(each.sequence, each.step) for each in calendar if each.what.endswith("waits")} >= {("postcall_maybe", 1)}
    assert waits[0] == (
        "postcall_maybe 1 waits",
        "no more than 1 marketing email in 20 hours: gives way to “Day 2: five windows of the year”",
    )
