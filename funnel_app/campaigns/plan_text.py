"""The plan of a sequence as a text: kept with who comes into it, so that a changed file changes nobody silently."""

import json
from dataclasses import replace
from datetime import time, timedelta
from hashlib import sha256

from funnel_app.campaigns.model import Campaign, Sequence, Step, Window


def plan_of(campaign: Campaign, sequence: Sequence) -> str:
    """Return all that the times and texts of a sequence's emails follow from: equal texts, equal plans."""
    window = sequence.window
    plan = {
        "zone": campaign.timezone,
        "window": [window.opens.isoformat(), window.closes.isoformat()] if window else None,
        "steps": [
            [list(s.variants), int(s.delay.total_seconds()), s.in_days, s.test_intervals] for s in sequence.steps
        ],
    }
    return json.dumps(plan, separators=(",", ":"))


def fingerprint(plan: str) -> str:
    """Return a plan in sixteen letters."""
    return sha256(plan.encode()).hexdigest()[:16]


def zone_of(plan: str) -> str:
    """Return the time zone by which a plan counts days for whoever told none."""
    return str(json.loads(plan)["zone"])


def as_planned(plan: str, sequence: Sequence) -> Sequence:
    """Return a sequence with the steps and hours of a plan; the rest of it is as today's file has it."""
    kept = json.loads(plan)
    window = Window(*map(time.fromisoformat, kept["window"])) if kept["window"] else None
    steps = tuple(_step(number, row, sequence) for number, row in enumerate(kept["steps"], 1))
    return replace(sequence, steps=steps, window=window)


def find_step(sequence: Sequence, template: str) -> Step | None:
    """Return the step of a template, under its name of today or one that it had; None where the file has none."""
    named = (step for step in sequence.steps if template in step.variants)
    return next(named, None) or next((step for step in sequence.steps if template in step.aliases), None)


def step_of(sequence: Sequence, plan: str | None, template: str, number: int) -> Step:
    """Return the step that an email is of: by its text in the file, then in the plan that it was planned by.

    Else it is the step of its number. Raises LookupError where there is none.
    """
    if found := find_step(sequence, template):
        return found
    planned = find_step(as_planned(plan, sequence), template) if plan else None
    return planned or sequence.step(number)


def _step(number: int, row: tuple[list[str], int, bool, int], sequence: Sequence) -> Step:
    texts, seconds, in_days, intervals = row
    today = find_step(sequence, texts[0])
    return Step(
        number=number,
        template=texts[0],
        templates=tuple(texts) if len(texts) > 1 else (),
        delay=timedelta(seconds=seconds),
        in_days=in_days,
        test_intervals=intervals,
        season_only=bool(today and today.season_only),
        after_deadline=today.after_deadline if today else None,
        title=today.title if today else "",
    )
