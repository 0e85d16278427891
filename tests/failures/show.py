"""Play every failure on a ledger of its own, and note what a person sees of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from funnel_app.deps import Deps
from tests.factories import make_deps, one_sequence
from tests.failures.noticed import Noticed
from tests.failures.stage import Stage
from tests.failures.table import Failure
from tests.flows.monitoring.live import LIVE

PLAYED = "lead_nurture"


@dataclass(frozen=True)
class Observation:
    """What is seen of a failure while it lasts, and where the email is when it is over."""

    state: str
    reason: str
    sentence: str
    noticed: Noticed
    at_last: str


def live(engine: Engine) -> Deps:
    """Return collaborators of a Funnel in production with a chat for its alerts, where no canary runs.

    Its campaign has the one sequence that is played: every look of the doctor makes letters of every template.
    """
    deps = make_deps(engine, **LIVE, canary_every=timedelta(0))
    return replace(deps, registry=one_sequence(PLAYED))


def show(failure: Failure, deps: Deps) -> tuple[Observation, Stage]:
    """Play a failure to its end; return what was seen, and the stage to look around on."""
    stage = Stage(deps)
    with pytest.MonkeyPatch.context() as patch:
        playing: Iterator[None] = failure.play(stage, patch)
        next(playing)
        state, reason, sentence = stage.email.state, stage.email.reason, stage.sentence
        noticed = stage.noticed or stage.watcher.notice(**failure.lasts)
        assert list(playing) == [], "a play pauses once"
    assert stage.watcher.all_is_over(), stage.deps.alerts.posted
    return Observation(str(state), reason or "", sentence, noticed, str(stage.email.state)), stage
