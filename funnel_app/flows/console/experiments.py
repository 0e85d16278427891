"""Experiments: steps that compare two texts, how many readers converted, and whether the difference is significant."""

from collections.abc import Sequence
from dataclasses import dataclass

from funnel_app.campaigns import model
from funnel_app.campaigns.model import Event
from funnel_app.campaigns.registry import Registry
from funnel_app.deps import Deps
from funnel_app.ledger.queries import figures
from funnel_app.rules.experiments import Share, better

# The goal of a letter: its reader takes the next step of the funnel.
WENT_ON = (Event.ASSESSMENT, Event.BOOKING, Event.ONBOARDING)
SAYS_NOTHING = "the difference says nothing yet: it may be chance"


@dataclass(frozen=True)
class Variant:
    """One of two texts: template key, name, and how many of its readers converted."""

    key: str
    title: str
    went_on: Share


@dataclass(frozen=True)
class Experiment:
    """A step with two texts, and a clause on their difference."""

    campaign: model.Campaign
    sequence: model.Sequence
    step: model.Step
    variants: Sequence[Variant]
    verdict: str


def experiments(deps: Deps, campaign: str | None = None) -> list[Experiment]:
    """Return every step that compares two texts, of one campaign or all, with its all-time figures."""
    compared = [
        (of, sequence, step)
        for of in deps.registry.campaigns.values()
        for sequence in of.sequences.values()
        for step in sequence.steps
        if step.templates and campaign in {None, of.name}
    ]
    if not compared:
        return []
    with deps.reads() as session:
        counted = figures.went_on(session, [key for *_, step in compared for key in step.templates], WENT_ON)
    return [_experiment(deps.registry, counted, *each) for each in compared]


def _experiment(
    registry: Registry,
    counted: dict[str, tuple[int, int]],
    campaign: model.Campaign,
    sequence: model.Sequence,
    step: model.Step,
) -> Experiment:
    variants = [Variant(key, registry.title_of_email(key), Share(*counted.get(key, (0, 0)))) for key in step.templates]
    first, second = (variant.went_on for variant in variants)
    found = better(first, second)
    verdict = SAYS_NOTHING if found is None else f"{'AB'[found]} does better, beyond what chance would explain"
    return Experiment(campaign, sequence, step, variants, verdict)
