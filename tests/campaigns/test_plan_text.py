"""Plan text: what is kept of a plan comes back as it was, with what today's file says of the same texts."""

import json
from dataclasses import replace
from datetime import time, timedelta

import pytest

from funnel_app.campaigns.model import Step, Window
from funnel_app.campaigns.plan_text import as_planned, find_step, plan_of, step_of, zone_of
from funnel_app.campaigns.registry import load_registry

CHRISTMAS = load_registry().campaign("christmas")
STEPS = (
    Step(1, "a", timedelta(0), 0, in_days=True, title="One", aliases=("old_a",)),
    Step(2, "b", timedelta(minutes=90), 1, season_only=True, after_deadline="skip", title="Two", templates=("b", "c")),
)
SEQUENCE = replace(CHRISTMAS.sequences["lead_nurture"], steps=STEPS, window=Window(time(8, 30), time(20)))
WRITTEN = {
    "zone": "America/Toronto",
    "window": ["08:30:00", "20:00:00"],
    "steps": [[["a"], 0, True, 0], [["b", "c"], 5400, False, 1]],
}


def test_a_plan_is_written_without_blanks_since_its_hash_is_compared():
    plan = plan_of(CHRISTMAS, SEQUENCE)
    assert (json.loads(plan), " " in plan) == (WRITTEN, False)
    assert zone_of(plan) == "America/Toronto"
    assert json.loads(plan_of(CHRISTMAS, replace(SEQUENCE, window=None)))["window"] is None


def test_a_plan_comes_back_as_it_was_with_todays_titles_and_rules():
    before = plan_of(CHRISTMAS, SEQUENCE)
    assert as_planned(before, SEQUENCE) == replace(SEQUENCE, steps=(replace(STEPS[0], aliases=()), STEPS[1]))
    today = replace(SEQUENCE, steps=(Step(1, "c", timedelta(days=9), 9, title="New"),), window=None, priority=4)
    first, second = as_planned(before, today).steps
    assert first == Step(1, "a", timedelta(0), 0, in_days=True)
    assert second == Step(2, "b", timedelta(minutes=90), 1, templates=("b", "c"))
    assert as_planned(before, today).priority == 4 and as_planned(before, today).window == SEQUENCE.window


@pytest.mark.parametrize(("template", "number"), [("a", 1), ("old_a", 1), ("b", 2), ("c", 2), ("x", None)])
def test_a_step_is_found_by_any_name_of_its_text(template, number):
    found = find_step(SEQUENCE, template)
    assert (found and found.number) == number


def test_a_name_goes_before_an_older_name_of_another_step():
    steps = (replace(STEPS[0], aliases=("b",)), STEPS[1])
    assert find_step(replace(SEQUENCE, steps=steps), "b").number == 2


def test_an_email_of_no_step_is_of_the_one_with_its_number_or_of_none():
    assert step_of(SEQUENCE, None, "gone", 2) == STEPS[1]
    older = plan_of(CHRISTMAS, replace(SEQUENCE, steps=(replace(STEPS[0], template="gone"),)))
    assert step_of(SEQUENCE, older, "gone", 2).template == "gone"
    with pytest.raises(LookupError):
        step_of(SEQUENCE, None, "gone", 3)
