"""Play every failure on a ledger of its own, and note what a person sees of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from funnel_app.deps import Deps
from tests.failures.plays import Failure
from tests.failures.stage import Stage


@dataclass(frozen=True)
class Seen:
    """What is seen of a failure while it lasts, and where the email is when it is over."""

    state: str
    reason: str
    sentence: str
    at_last: str


def show(failure: Failure, deps: Deps) -> tuple[Seen, Stage]:
    """Play a failure to its end; return what was seen, and the stage to look around on."""
    stage = Stage(deps)
    with pytest.MonkeyPatch.context() as patch:
        playing: Iterator[None] = failure.play(stage, patch)
        next(playing)
        state, reason, sentence = stage.email.state, stage.email.reason, stage.sentence
        assert list(playing) == [], "a play pauses once"
    return Seen(str(state), reason or "", sentence, str(stage.email.state)), stage
