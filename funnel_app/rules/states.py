"""States of an enrolment and outcomes of a call, with the legal transitions of an enrolment."""

from collections.abc import Mapping
from enum import StrEnum

from funnel_app.campaigns.states import IllegalTransition


class EnrolmentState(StrEnum):
    """The state of an enrolment."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    EXITED = "exited"


class Outcome(StrEnum):
    """The outcome of a call."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    REFUSED = "refused"


RUNNING = (EnrolmentState.ACTIVE, EnrolmentState.PAUSED)
# Outcomes of calls that were read, whatever the answer.
HEARD = (Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.IGNORED)

ALLOWED: Mapping[EnrolmentState, frozenset[EnrolmentState]] = {
    EnrolmentState.ACTIVE: frozenset({EnrolmentState.PAUSED, EnrolmentState.COMPLETED, EnrolmentState.EXITED}),
    EnrolmentState.PAUSED: frozenset({EnrolmentState.ACTIVE, EnrolmentState.COMPLETED, EnrolmentState.EXITED}),
    EnrolmentState.COMPLETED: frozenset(),
    EnrolmentState.EXITED: frozenset(),
}


def check(current: EnrolmentState, new: EnrolmentState) -> None:
    """Raise IllegalTransition, naming both states, for a transition that the table does not allow."""
    if new not in ALLOWED[current]:
        raise IllegalTransition(f"An enrolment that is {current} cannot become {new}.")
