"""Enrol: turn authenticated calls into a contact, an enrolment and all its emails, in one transaction."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Mode, Sequence
from funnel_app.campaigns.states import State
from funnel_app.campaigns.timing import deadline_after
from funnel_app.deps import Deps
from funnel_app.flows.intake.call import Call
from funnel_app.flows.intake.decide import Case, Decision, decide, dedupe_key
from funnel_app.flows.intake.exit import end_by_event
from funnel_app.flows.intake.plan import anchor, plan_emails, planned_events
from funnel_app.flows.intake.reschedule import moved
from funnel_app.flows.intake.schedule import schedule
from funnel_app.flows.receipt import Receipt, email_as_json
from funnel_app.ledger import contacts, enrolments, hook_events
from funnel_app.ledger.conflicts import retry_on_conflict
from funnel_app.ledger.emails import Due
from funnel_app.ledger.models import Enrolment, HookEvent, Outcome
from funnel_app.ledger.types import new_id

__all__ = ["Call", "enrol"]

log = structlog.get_logger()

KEY_HOLDS_FOR = timedelta(hours=24)


class KeyReused(Exception):
    """An idempotency key came again with another payload."""


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
        # One order for all that change several people, whatever order their calls come in.
        contacts.lock_known(session, {call.email_norm for call in calls})
        taken = [_take(_case(deps, session, call, now)) for call in calls]
    receipts = [receipt for receipt, _ in taken]
    for call, receipt in zip(calls, receipts, strict=True):
        log.info("hook_taken", name=call.hook, what=call.event.value, **_told(receipt))
    schedule(deps, [email for _, enrolment in taken if enrolment for email in _to_schedule(enrolment)])
    return replace(receipts[-1], ended=[ended for receipt in receipts for ended in receipt.ended])


def _to_schedule(enrolment: Enrolment) -> list[Due]:
    return [Due(e.id, e.due_at, enrolment.kind) for e in enrolment.emails if e.state == State.PLANNED]


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


def _case(deps: Deps, session: Session, call: Call, now: datetime) -> Case:
    contact = contacts.upsert(session, call.email, call.email_norm, call.contact, now)
    return Case(deps, session, deps.registry.campaign(call.campaign), contact, call, now)


def _take(case: Case) -> tuple[Receipt, Enrolment | None]:
    decision = decide(case)
    hook = hook_events.add(case.session, _hook_event(case, decision))
    ended = end_by_event(case.session, case.campaign, case.contact.id, case.happening, case.now)
    enrolment = decision.before
    if decision.outcome is Outcome.ACCEPTED and case.sequence is not None:
        enrolment = _start(case, case.sequence, hook, decision.run)
    elif enrolment is not None:
        moved(case, enrolment)
    receipt = Receipt(
        status=decision.outcome,
        hook_id=hook.id,
        contact_id=case.contact.id,
        handler=hook.handler or "",
        enrolment_id=enrolment.id if enrolment else None,
        ended=ended,
        emails=[email_as_json(email) for email in enrolment.emails] if enrolment else [],
        reason=decision.reason,
    )
    hook.answer_status, hook.answer = receipt.http_status, receipt.as_json()
    return receipt, enrolment


def _told(receipt: Receipt) -> dict[str, object]:
    return {
        "hook": str(receipt.hook_id),
        "contact": str(receipt.contact_id),
        "enrolment": str(receipt.enrolment_id) if receipt.enrolment_id else None,
        "emails": [email["id"] for email in receipt.emails],
        "outcome": str(receipt.status),
        "reason": receipt.reason,
    }


def _hook_event(case: Case, decision: Decision) -> HookEvent:
    call = case.call
    return HookEvent(
        id=new_id(),
        received_at=case.now,
        source=call.source,
        campaign=case.campaign.name,
        hook=call.hook,
        handler=_handler(case),
        event=call.event.value,
        occurrence=call.occurrence,
        happened_at=case.happening.at,
        call_at=call.call_at,
        contact_id=case.contact.id,
        dedupe_key=dedupe_key(case, decision.run),
        idempotency_key=call.idempotency_key,
        payload=dict(call.payload),
        outcome=decision.outcome,
        errors=dict(call.left_out) or None,
        mode=case.mode.value,
    )


def _handler(case: Case) -> str | None:
    event = case.call.event
    concerned = case.campaign.started_by(event) or next(iter(case.campaign.ended_by(event)), None)
    return concerned.handler if concerned else None


def _start(case: Case, sequence: Sequence, hook: HookEvent, run: int) -> Enrolment:
    call, now = case.call, case.now
    timing = case.timing(anchor(call.first, sequence, call.call_at, call.received_at or now))
    planned = plan_emails(sequence, call.first, timing, now)
    today = now.astimezone(ZoneInfo(case.campaign.timezone)).date()
    enrolment = Enrolment(
        id=new_id(),
        contact_id=case.contact.id,
        hook_event_id=hook.id,
        campaign=case.campaign.name,
        sequence=sequence.name,
        occurrence=case.occurrence,
        run=run,
        mode=case.mode.value,
        kind=sequence.kind.value,
        happened_at=case.happening.at,
        call_at=call.call_at,
        anchor_at=timing.anchor_at,
        deadline=deadline_after(case.campaign.deadline, today),
        variables={**case.contact.properties, **call.variables},
        mirror_stale_since=None if case.mode is Mode.CANARY else now,
        created_at=now,
        emails=planned,
    )
    enrolments.add(case.session, enrolment)
    case.session.add_all(planned_events(planned, now))
    return enrolment
