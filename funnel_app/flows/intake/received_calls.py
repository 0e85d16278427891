"""Received calls: what callers sent, what became of it, and which refused calls can be corrected and replayed."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.flows.intake.keep_refused import NOT_KEPT
from funnel_app.flows.receipt import iso
from funnel_app.ledger import hook_events
from funnel_app.ledger.models import HookEvent, Outcome


def list_hooks(reads: sessionmaker[Session], outcome: str | None, limit: int) -> list[dict[str, Any]]:
    """Return the newest calls, of one outcome or of all, as plain data."""
    with reads() as session:
        return [as_row(event) for event in hook_events.newest(session, outcome, limit)]


def find_hook(reads: sessionmaker[Session], hook_id: UUID) -> dict[str, Any] | None:
    """Return a call with its payload, faults and answer; None where there is none of that id."""
    with reads() as session:
        event = hook_events.find(session, hook_id)
    if event is None:
        return None
    return {**as_row(event), "payload": event.payload, "errors": event.errors, "answer": event.answer}


def mark_replayed(sessions: sessionmaker[Session], hook_id: UUID, replayed_as: str) -> None:
    """Record on a refused call the id under which it was accepted later."""
    with sessions.begin() as session:
        event = hook_events.find(session, hook_id)
        if event is not None:
            event.answer = {"replayed_as": replayed_as}
            # The same call counts as new if it is refused again.
            event.dedupe_key = None


def put_aside(session: Session, event: HookEvent, why: str) -> None:
    """Record on a refused call why nobody has to correct it. Safe to repeat: the first reason stays."""
    if waits_for_fix(event):
        event.answer = {"put_aside": why}
        # The same call counts as new if it is refused again.
        event.dedupe_key = None
        session.flush()


def as_row(event: HookEvent) -> dict[str, Any]:
    """Return a call as a row of a list; one that is not `kept` only counts calls beyond a caller's budget.

    A refused call `waits` until it is replayed or put aside.
    """
    return {
        "id": str(event.id),
        "at": iso(event.received_at),
        "campaign": event.campaign,
        "hook": event.hook,
        "source": event.source,
        "event": event.event,
        "outcome": str(event.outcome),
        "email": address_of(event),
        "reason": reason_of(event),
        "kept": event.errors != NOT_KEPT,
        "waits": event.outcome == Outcome.REFUSED and waits_for_fix(event),
    }


def address_of(event: HookEvent) -> str | None:
    """Return the email address that a call names; None if it names none."""
    inner = event.payload.get("payload")
    found = event.payload.get("email") or (inner.get("email") if isinstance(inner, dict) else None)
    return found if isinstance(found, str) else None


def is_replayed(event: HookEvent) -> bool:
    """Say whether a refused call has been replayed."""
    return "replayed_as" in (event.answer or {})


def waits_for_fix(event: HookEvent) -> bool:
    """Say whether a refused call is neither replayed nor put aside."""
    return not is_replayed(event) and not is_put_aside(event)


def is_put_aside(event: HookEvent) -> bool:
    """Say whether a person or a later accepted call settled a refused call."""
    return "put_aside" in (event.answer or {})


def reason_of(event: HookEvent) -> str | None:
    """Return why a call was ignored or refused, or what it was replayed as; None for an accepted one."""
    answer = event.answer or {}
    if is_replayed(event):
        return f"replayed as {answer['replayed_as']}"
    if is_put_aside(event):
        return f"put aside: {answer['put_aside']}"
    if event.outcome == Outcome.REFUSED:
        return faults_in_words(event.errors or {})
    return answer.get("reason")


def faults_in_words(errors: Mapping[str, Any]) -> str:
    """Return a call's faults as one line, each with its field."""
    return "; ".join(f"{field}: {_said(words)}" for field, words in errors.items())


def _said(words: Any) -> str:
    return " ".join(map(str, words)) if isinstance(words, list) else str(words)
