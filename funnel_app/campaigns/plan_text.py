"""Plan text: a sequence's plan, stored with each enrolment, so that a changed file changes nobody silently."""

import json
from dataclasses import replace
from datetime import time, timedelta
from hashlib import sha256

from funnel_app.campaigns.model import Campaign, Sequence, Step, Window


def plan_of(campaign: Campaign, sequence: Sequence) -> str:
    """Return everything that determines times and templates of a sequence: equal texts mean equal plans."""
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
    """Return a plan's hash in sixteen characters."""
    return sha256(plan.encode()).hexdigest()[:16]


def zone_of(plan: str) -> str:
    """Return the time zone in which a plan counts days for contacts without one."""
    return str(json.loads(plan)["zone"])


def as_planned(plan: str, sequence: Sequence) -> Sequence:
    """Return a sequence with the steps and hours of a plan, and the rest from the current file."""
    kept = json.loads(plan)
    window = Window(*map(time.fromisoformat, kept["window"])) if kept["window"] else None
    steps = tuple(_step(number, row, sequence) for number, row in enumerate(kept["steps"], 1))
    return replace(sequence, steps=steps, window=window)


def find_step(sequence: Sequence, template: str) -> Step | None:
    """Return the step of a template, by its current name or an alias; None if the file has none."""
    named = (step for step in sequence.steps if template in step.variants)
    return next(named, None) or next((step for step in sequence.steps if template in step.aliases), None)


def step_of(sequence: Sequence, plan: str | None, template: str, number: int) -> Step:
    """Return the step of an email: by its template in the file, then in its plan.

    Else the step with its number. Raises LookupError if there is none.
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
