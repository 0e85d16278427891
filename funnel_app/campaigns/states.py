"""The states of an email, and the only steps between them."""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where an email stands; it is always in exactly one of these."""

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
    """A step that the table of states does not allow."""


_ENDED_WELL_OR_BADLY = frozenset({State.DELIVERED, State.DELAYED, State.BOUNCED, State.COMPLAINED})
# Ambiguous or moved by a report without ever having been sending: a ledger restored from a backup does not know what
# went out since, and a person may release what Resend has after all.
_BEFORE_HANDOVER = frozenset({State.HELD, State.CANCELLED, State.SKIPPED, State.SUPPRESSED})

ALLOWED: Mapping[State, frozenset[State]] = {
    State.PLANNED: _BEFORE_HANDOVER | _ENDED_WELL_OR_BADLY | {State.SENDING, State.SENT, State.AMBIGUOUS},
    State.SENDING: _BEFORE_HANDOVER | _ENDED_WELL_OR_BADLY | {State.PLANNED, State.SENT, State.AMBIGUOUS, State.FAILED},
    State.HELD: (_BEFORE_HANDOVER - {State.HELD}) | _ENDED_WELL_OR_BADLY | {State.PLANNED, State.SENT, State.AMBIGUOUS},
    # Back to planned only by a person who knows that it never went out.
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
# Of these somebody should hear: an email that was to arrive did not, or its reader did not want it.
BADLY_ENDED = (State.BOUNCED, State.COMPLAINED, State.SUPPRESSED, State.FAILED)

SOFT_BOUNCE = "email.soft_bounced"
GIVEN_UP = "email.given_up"
# What readers do moves no email; a click that is a program's is not called one.
OPENED, CLICKED, SCANNED = "email.opened", "email.clicked", "email.scanned"
REPORTED_BY_PROVIDER: Mapping[str, State] = {
    "email.sent": State.SENT,
    "email.delivery_delayed": State.DELAYED,
    "email.failed": State.FAILED,
    "email.suppressed": State.SUPPRESSED,
    "email.delivered": State.DELIVERED,
    "email.bounced": State.BOUNCED,
    "email.complained": State.COMPLAINED,
    # Not the provider's own words: a bounce that it calls transient, and one after which it tried no more.
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
    """Raise IllegalTransition, naming both states, for a step that the table does not allow."""
    if new not in ALLOWED[current]:
        raise IllegalTransition(f"An email that is {current} cannot become {new}.")


def reported(current: State, report: State) -> State:
    """Return the later of two states, so that a late or repeated report of the provider never moves an email back.

    One that waits (planned, held) is moved too: only what was handed over is ever reported, so that to send it would
    send it twice. A failure alone leaves it waiting: nothing went out. What was cancelled or skipped stays so.
    """
    if current not in REPORT_ORDER or (current in WAITING and report is State.FAILED):
        return current
    return max(current, report, key=REPORT_ORDER.__getitem__)
