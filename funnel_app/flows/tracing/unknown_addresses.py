"""Unknown addresses: what can be said of an address without a contact, and how to find its owner."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from sqlalchemy.orm import Session

from funnel_app.flows.intake.received_calls import reason_of, waits_for_fix
from funnel_app.ledger import contacts
from funnel_app.ledger.models import HookEvent

CANDIDATES = 5000
MOST_ALIKE = 3
HOW_ALIKE = 0.85


def unknown_address(session: Session, email_norm: str, refused: Sequence[HookEvent]) -> dict[str, Any]:
    """Return the trace of an address without a contact: refused calls that name it, and similar addresses.

    Its sentence says what to do.
    """
    similar = _similar(session, email_norm)
    return {
        "contact": None,
        "enrolments": [],
        "similar": similar,
        "sentence": f"Nobody with the address {email_norm} ever came in; {_advice(refused, similar)}",
    }


def _similar(session: Session, email_norm: str) -> list[str]:
    if "@" not in email_norm:
        return []
    known = contacts.addresses_like(session, email_norm, CANDIDATES)
    return get_close_matches(email_norm, known, MOST_ALIKE, HOW_ALIKE)


def _advice(refused: Sequence[HookEvent], similar: list[str]) -> str:
    waiting = [hook for hook in refused if waits_for_fix(hook)]
    if waiting:
        newest = waiting[-1]
        what = "a call that named it was" if len(waiting) == 1 else f"{len(waiting)} calls that named it were"
        return (
            f"{what} refused ({reason_of(newest)}): fix it with "
            f"flask hooks replay {newest.id} --set FIELD=VALUE, and have its sender fixed."
        )
    if similar:
        return f"did you mean {' or '.join(similar)}?"
    return (
        "no refused call of the last 30 days names it either: see flask hooks list for what came, and the sender's own "
        "log for what it was answered."
    )
