"""States of an email, the legal transitions between them, and which report means which."""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """The state of an email; it is always in exactly one."""

    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    HELD = "held"
    AMBIGUOUS = "ambiguous"
    DELAYED = "delayed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    SUPPRESSED = "suppressed"


class IllegalTransition(ValueError):
    """A transition that the table does not allow."""


_ENDED_WELL_OR_BADLY = frozenset({State.DELIVERED, State.DELAYED, State.BOUNCED, State.COMPLAINED})
# These are reachable without `sending`: a restored ledger does not know what went out since its backup, and an operator
# may release an email that Resend has after all.
_BEFORE_HANDOVER = frozenset({State.HELD, State.CANCELLED, State.SKIPPED, State.SUPPRESSED})

ALLOWED: Mapping[State, frozenset[State]] = {
    State.PLANNED: _BEFORE_HANDOVER | _ENDED_WELL_OR_BADLY | {State.SENDING, State.SENT, State.AMBIGUOUS},
    State.SENDING: _BEFORE_HANDOVER | _ENDED_WELL_OR_BADLY | {State.PLANNED, State.SENT, State.AMBIGUOUS, State.FAILED},
    State.HELD: (_BEFORE_HANDOVER - {State.HELD}) | _ENDED_WELL_OR_BADLY | {State.PLANNED, State.SENT, State.AMBIGUOUS},
    # Back to planned only by an operator who knows that it never went out.
    State.AMBIGUOUS: _ENDED_WELL_OR_BADLY | {State.SENT, State.FAILED, State.SUPPRESSED, State.PLANNED},
    State.SENT: _ENDED_WELL_OR_BADLY | {State.FAILED, State.SUPPRESSED},
    State.DELAYED: frozenset({State.DELIVERED, State.BOUNCED, State.COMPLAINED, State.FAILED, State.SUPPRESSED}),
    # The provider may still report what disproves a failure or a suppression.
    # Back to planned only by a person who wants it tried again.
    State.FAILED: frozenset({State.DELIVERED, State.BOUNCED, State.COMPLAINED, State.SUPPRESSED, State.PLANNED}),
    State.SUPPRESSED: frozenset({State.DELIVERED, State.BOUNCED, State.COMPLAINED}),
    State.DELIVERED: frozenset({State.BOUNCED, State.COMPLAINED}),
    State.BOUNCED: frozenset({State.COMPLAINED}),
    State.COMPLAINED: frozenset(),
    State.CANCELLED: frozenset(),
    State.SKIPPED: frozenset(),
}

WAITING = frozenset({State.PLANNED, State.HELD})
HOLDS_SUCCESSOR = frozenset({State.PLANNED, State.SENDING, State.HELD, State.AMBIGUOUS})
OPEN = HOLDS_SUCCESSOR | {State.SENT, State.DELAYED}
STOPPED = frozenset({State.BOUNCED, State.COMPLAINED, State.FAILED, State.CANCELLED, State.SKIPPED, State.SUPPRESSED})
# Reported to operators: an email that should have arrived did not, or its reader did not want it.
BADLY_ENDED = (State.BOUNCED, State.COMPLAINED, State.SUPPRESSED, State.FAILED)
# What people read where a state's name says too little or too much.
IN_WORDS: Mapping[str, str] = {
    State.AMBIGUOUS: "in doubt",
    State.COMPLAINED: "marked as spam",
    State.SUPPRESSED: "not mailed",
    State.SENT: "on its way",
}

SOFT_BOUNCE = "email.soft_bounced"
GIVEN_UP = "email.given_up"
# Opens and clicks change no state; a program's click is not recorded as a click.
OPENED, CLICKED, SCANNED = "email.opened", "email.clicked", "email.scanned"
REPORTED_BY_PROVIDER: Mapping[str, State] = {
    "email.sent": State.SENT,
    "email.delivery_delayed": State.DELAYED,
    "email.failed": State.FAILED,
    "email.suppressed": State.SUPPRESSED,
    "email.delivered": State.DELIVERED,
    "email.bounced": State.BOUNCED,
    "email.complained": State.COMPLAINED,
    # Our own kinds: a bounce that the provider calls transient, and one after which it stopped trying.
    SOFT_BOUNCE: State.DELAYED,
    GIVEN_UP: State.BOUNCED,
}

_ORDER = (
    State.SENT,
    State.DELAYED,
    State.FAILED,
    State.SUPPRESSED,
    State.DELIVERED,
    State.BOUNCED,
    State.COMPLAINED,
)
REPORT_ORDER: Mapping[State, int] = {
    **dict.fromkeys((State.PLANNED, State.HELD, State.SENDING, State.AMBIGUOUS), 0),
    **{state: rank for rank, state in enumerate(_ORDER, start=1)},
}


def check(current: State, new: State) -> None:
    """Raise IllegalTransition, naming both states, for a transition that the table does not allow."""
    if new not in ALLOWED[current]:
        raise IllegalTransition(f"An email that is {current} cannot become {new}.")


def reported(current: State, report: State) -> State:
    """Return the later of two states, so that a late or repeated report never moves an email back.

    Planned and held emails move too: only what was submitted is ever reported, so sending them would send twice. A
    failure alone leaves them waiting, since nothing went out. Cancelled and skipped emails stay so.
    """
    if current not in REPORT_ORDER or (current in WAITING and report is State.FAILED):
        return current
    return max(current, report, key=REPORT_ORDER.__getitem__)


def state_in_words(state: str) -> str:
    """Return what people read for a state within a sentence."""
    return IN_WORDS.get(state, state)
