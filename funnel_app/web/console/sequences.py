"""Sequences: a picture of each, drawn from the campaign's file and the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask.typing import ResponseReturnValue

from funnel_app.campaigns.registry import shown
from funnel_app.campaigns.states import State
from funnel_app.current import current_deps
from funnel_app.flows.console.figures import Fares
from funnel_app.flows.console.sequences import Drawn, draw_sequences
from funnel_app.web.console.frame import blueprint, page

BOX, GAP, START, HEIGHT = 166, 44, 114, 172


@dataclass(frozen=True)
class Box:
    """One step where it stands in the picture."""

    x: int
    number: int
    delay: str
    fares: Fares
    waiting: int
    stuck: int


@dataclass(frozen=True)
class Picture:
    """One sequence, laid out from left to right."""

    drawn: Drawn
    boxes: Sequence[Box]
    exits: Sequence[str]
    width: int
    height: int = HEIGHT
    box: int = BOX
    gap: int = GAP
    start: int = START


@blueprint.get("/sequences")
def sequences() -> ResponseReturnValue:
    """Show every sequence of every campaign."""
    return page("sequences.html", pictures=[_picture(drawn) for drawn in draw_sequences(current_deps())])


def _picture(drawn: Drawn) -> Picture:
    steps = drawn.sequence.steps
    boxes = [
        Box(
            x=START + GAP + (BOX + GAP) * i,
            number=step.number,
            delay=_delay(shown(step.delay)),
            fares=fares,
            waiting=fares.states.get(State.PLANNED, 0),
            stuck=fares.states.get(State.HELD, 0) + fares.states.get(State.AMBIGUOUS, 0),
        )
        for i, (step, fares) in enumerate(zip(steps, drawn.steps, strict=True))
    ]
    exits = sorted(event.value.replace("_", " ") for event in drawn.sequence.exits)
    return Picture(drawn, boxes, exits, width=START + (BOX + GAP) * len(steps) + 2)


def _delay(text: str) -> str:
    if text == "0d":
        return "at once"
    return text.replace("-", "−") if text.startswith("-") else f"+{text}"
