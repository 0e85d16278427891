"""Enrol: turn authenticated calls into a contact, an enrolment and all its emails, in one transaction.

One reading, pure rules over it (`rules/`), one writing of what differs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.orm import Session

from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.intake.schedule import schedule
from funnel_app.flows.receipt import Receipt, email_as_json
from funnel_app.ledger import hook_events, reading, writing
from funnel_app.ledger.after_commit import log_after_commit
from funnel_app.ledger.conflicts import retry_on_conflict
from funnel_app.ledger.emails import Due
from funnel_app.rules.call import Call
from funnel_app.rules.case import Case
from funnel_app.rules.decide import PER_IP
from funnel_app.rules.facts import EnrolmentFacts, Heard
from funnel_app.rules.ids import new_id
from funnel_app.rules.reading import Reading, wanted_for
from funnel_app.rules.take import Taken, take

log = structlog.get_logger()

KEY_HOLDS_FOR = timedelta(hours=24)


class KeyReused(Exception):
    """An idempotency key came again with another payload."""


@dataclass(frozen=True)
class _Answered:
    """One call that was taken: its row, its answer, and the enrolment that it is about."""

    call: Call
    row: dict[str, Any]
    receipt: Receipt
    enrolment: EnrolmentFacts | None


@retry_on_conflict
def enrol(deps: Deps, *calls: Call) -> Receipt:
    """Start what these calls start and end what they end; then arm what was planned. Return the last call's receipt.

    Safe to repeat: a second call updates the contact and starts nothing. When it returns, everything is committed.
    Raises TooManyEnrolments, and KeyReused for an idempotency key that was used for something else within a day.
    """
    now = deps.now()
    with deps.sessions.begin() as session:
        replayed = _replayed(session, calls[-1], now)
        if replayed is not None:
            return replayed
        before = reading.read(session.connection(), wanted_for(calls, deps.registry, now))
        after, answered = _answer_all(deps, before, calls, now)
        moved = writing.write(session.connection(), before, after, [each.row for each in answered], now)
        _log_moves(session, moved)
    for each in answered:
        log.info("hook_taken", name=each.call.hook, what=each.call.event.value, **_told(each.receipt))
    schedule(deps, [due for each in answered if each.enrolment for due in _to_schedule(each.enrolment)])
    return replace(answered[-1].receipt, ended=[ended for each in answered for ended in each.receipt.ended])


def _replayed(session: Session, call: Call, now: datetime) -> Receipt | None:
    if call.idempotency_key is None:
        return None
    hook_events.lock_key(session, call.idempotency_key)
    known = hook_events.find_by_key(session, call.idempotency_key)
    if known is None:
        return None
    if now - known.received_at > KEY_HOLDS_FOR:
        hook_events.forget_key(session, known)
        return None
    if known.payload != dict(call.payload):
        raise KeyReused("This Idempotency-Key was used for another payload within a day. Nothing was begun.")
    return Receipt.from_json(known.answer or {})


def _answer_all(deps: Deps, found: Reading, calls: Sequence[Call], now: datetime) -> tuple[Reading, list[_Answered]]:
    """Take the calls one after the other, each on what the one before it left."""
    answered = []
    for call in calls:
        case, hook_id = _case(deps, found, call, now), new_id()
        taken = take(case, hook_id)
        row = _hook_row(case, taken)
        receipt = _receipt(case, taken, hook_id)
        answer = {"answer_status": receipt.http_status, "answer": receipt.as_json()}
        answered.append(_Answered(call, {"id": hook_id, **row, **answer}, receipt, taken.enrolment))
        contact = replace(taken.contact, heard=(*taken.contact.heard, _heard(row)))
        found = found.with_contact(contact)
    return found, answered


def _case(deps: Deps, found: Reading, call: Call, now: datetime) -> Case:
    contact = found.contact_of(call, now)
    return Case(
        campaign=deps.registry.campaign(call.campaign),
        contact=contact,
        call=call,
        now=now,
        current_mode=deps.mode,
        interval_seconds=deps.settings.testing_interval_seconds,
        from_ip=found.with_contact(contact).from_ip(call.consent_ip, now - PER_IP[1]),
    )


def _hook_row(case: Case, taken: Taken) -> dict[str, Any]:
    call = case.call
    return {
        "received_at": case.now,
        "source": call.source,
        "campaign": case.campaign.name,
        "hook": call.hook,
        "handler": case.handler,
        "event": call.event.value,
        "occurrence": call.occurrence,
        "happened_at": case.happening.at,
        "call_at": call.call_at,
        "contact_id": case.contact.id,
        "dedupe_key": case.dedupe_key(taken.decision.run),
        "idempotency_key": call.idempotency_key,
        "payload": dict(call.payload),
        "outcome": taken.decision.outcome,
        "errors": dict(call.left_out) or None,
        "mode": case.mode.value,
    }


def _heard(row: dict[str, Any]) -> Heard:
    known = ("campaign", "event", "occurrence", "outcome", "received_at", "happened_at", "call_at")
    return Heard(**{name: row[name] for name in known})


def _receipt(case: Case, taken: Taken, hook_id: Any) -> Receipt:
    enrolment = taken.enrolment
    return Receipt(
        status=taken.decision.outcome,
        hook_id=hook_id,
        contact_id=case.contact.id,
        handler=case.handler or "",
        enrolment_id=enrolment.id if enrolment else None,
        ended=[{"sequence": ended.sequence, "reason": ended.exit_reason or ""} for ended in taken.ended],
        emails=[email_as_json(email) for email in enrolment.emails] if enrolment else [],
        reason=taken.decision.reason,
    )


def _log_moves(session: Session, moved: Iterable[writing.Moved]) -> None:
    for each in moved:
        ids = {"email": str(each.email.id), "enrolment": str(each.enrolment.id)}
        log_after_commit(session, "email_moved", **ids, state=str(each.email.state), reason=each.email.reason)


def _to_schedule(enrolment: EnrolmentFacts) -> list[Due]:
    return [Due(e.id, e.due_at, enrolment.kind) for e in enrolment.emails if e.state == State.PLANNED]


def _told(receipt: Receipt) -> dict[str, object]:
    return {
        "hook": str(receipt.hook_id),
        "contact": str(receipt.contact_id),
        "enrolment": str(receipt.enrolment_id) if receipt.enrolment_id else None,
        "emails": [email["id"] for email in receipt.emails],
        "outcome": str(receipt.status),
        "reason": receipt.reason,
    }
