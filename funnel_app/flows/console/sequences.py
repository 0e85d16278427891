"""Sequences: each campaign as its file has it, with what runs in it now and how each step fares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from funnel_app.campaigns import model
from funnel_app.deps import Deps
from funnel_app.flows.console.figures import Fares, recent_fares
from funnel_app.ledger import figures
from funnel_app.ledger.base import EnrolmentState


@dataclass(frozen=True)
class Drawn:
    """One sequence with its live counts; `name` tells it from those of other campaigns.

    A step's figures are at the step's place.
    """

    campaign: model.Campaign
    sequence: model.Sequence
    name: str
    enrolments: Mapping[EnrolmentState, int]
    steps: Sequence[Fares]


def draw_sequences(deps: Deps) -> list[Drawn]:
    """Return every sequence of every campaign, in the order of the files."""
    with deps.reads() as session:
        enrolled = figures.enrolments(session)
    by_key = {row.key: row for row in recent_fares(deps)}
    return [
        Drawn(
            campaign=campaign,
            sequence=sequence,
            name=deps.registry.name_of(sequence),
            enrolments={state: count for *of, state, count in enrolled if of == [campaign.name, sequence.name]},
            steps=[by_key[step.template] for step in sequence.steps],
        )
        for campaign in deps.registry.campaigns.values()
        for sequence in campaign.sequences.values()
    ]
