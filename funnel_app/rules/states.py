"""Where an enrolment stands and what may become of a call, with the only steps between an enrolment's states."""

from collections.abc import Mapping
from enum import StrEnum

from funnel_app.campaigns.states import IllegalTransition


class EnrolmentState(StrEnum):
    """Where an enrolment stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    EXITED = "exited"


class Outcome(StrEnum):
    """What became of a hook."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    REFUSED = "refused"


RUNNING = (EnrolmentState.ACTIVE, EnrolmentState.PAUSED)
# Whoever called was heard, whatever was answered.
HEARD = (Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.IGNORED)

ALLOWED: Mapping[EnrolmentState, frozenset[EnrolmentState]] = {
    EnrolmentState.ACTIVE: frozenset({EnrolmentState.PAUSED, EnrolmentState.COMPLETED, EnrolmentState.EXITED}),
    EnrolmentState.PAUSED: frozenset({EnrolmentState.ACTIVE, EnrolmentState.COMPLETED, EnrolmentState.EXITED}),
    EnrolmentState.COMPLETED: frozenset(),
    EnrolmentState.EXITED: frozenset(),
}


def check(current: EnrolmentState, new: EnrolmentState) -> None:
    """Raise IllegalTransition, naming both states, for a step that the table does not allow."""
    if new not in ALLOWED[current]:
        raise IllegalTransition(f"An enrolment that is {current} cannot become {new}.")
