"""Enrol: turn one authenticated call into a contact, an enrolment and all its emails, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Campaign, Event, Sequence
from funnel_app.campaigns.states import State
from funnel_app.campaigns.timing import deadline_after
from funnel_app.deps import Deps
from funnel_app.flows.arm import arm
from funnel_app.flows.exit import end_by_event, told
from funnel_app.flows.plan import FirstEmail, anchor, plan_emails, planned_events
from funnel_app.flows.receipt import Receipt, email_as_json
from funnel_app.ledger import contacts, enrolments, hook_events
from funnel_app.ledger.models import Contact, Enrolment, HookEvent, Outcome
from funnel_app.ledger.types import new_id


@dataclass(frozen=True, kw_only=True)
class Call:
    """What a hook says, in the funnel's own words."""

    campaign: str
    hook: str
    event: Event
    email: str
    email_norm: str
    contact: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    source: str = "website"
    occurrence: str = ""
    anchor_at: datetime | None = None
    first: FirstEmail = field(default_factory=FirstEmail)


@dataclass(frozen=True)
class _Case:
    """One call on its way through the transaction, with all that its rules look at."""

    deps: Deps
    session: Session
    campaign: Campaign
    contact: Contact
    call: Call
    now: datetime

    @property
    def sequence(self) -> Sequence | None:
        return self.campaign.started_by(self.call.event)


@dataclass(frozen=True)
class _Decision:
    outcome: Outcome
    reason: str | None = None
    enrolment: Enrolment | None = None
    run: int = 1


def enrol(deps: Deps, call: Call) -> Receipt:
    """Start the sequence that this call starts and end those that it ends; then arm what was planned.

    Safe to repeat: a second call updates the contact and starts nothing. When it returns, everything is committed.
    """
    campaign = deps.registry.campaign(call.campaign)
    now = deps.now()
    with deps.sessions.begin() as session:
        contact = contacts.upsert(session, call.email, call.email_norm, call.contact, now)
        receipt, enrolment = _take(_Case(deps, session, campaign, contact, call, now))
    if receipt.status is Outcome.ACCEPTED and enrolment is not None:
        arm(deps, [(email.id, email.due_at) for email in enrolment.emails if email.state == State.PLANNED])
    return receipt


def _take(case: _Case) -> tuple[Receipt, Enrolment | None]:
    decision = _decide(case)
    hook = hook_events.add(case.session, _hook_event(case, decision))
    ended = end_by_event(case.session, case.campaign, case.contact.id, case.call.event, case.now)
    enrolment = decision.enrolment
    if decision.outcome is Outcome.ACCEPTED and case.sequence is not None:
        enrolment = _start(case, case.sequence, hook, decision.run)
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


def _decide(case: _Case) -> _Decision:
    sequence = case.sequence
    if sequence is None:
        known = hook_events.find_accepted(case.session, _dedupe_key(case, run=1))
        return _Decision(Outcome.DUPLICATE, "this call is already recorded") if known else _Decision(Outcome.ACCEPTED)
    before = _latest(case, sequence)
    if before is not None and not _may_reenter(sequence, before):
        return _Decision(Outcome.DUPLICATE, f"{sequence.name} was already started for this contact", before)
    blocking = hook_events.find_first(
        case.session, case.contact.id, case.campaign.name, [event.value for event in sequence.exits]
    )
    if blocking is not None:
        happened = told(Event(blocking.event or ""), blocking.received_at)
        return _Decision(Outcome.IGNORED, f"{sequence.name} does not start: the contact already {happened}")
    return _Decision(Outcome.ACCEPTED, run=before.run + 1 if before else 1)


def _latest(case: _Case, sequence: Sequence) -> Enrolment | None:
    return enrolments.find_latest(
        case.session, case.contact.id, case.campaign.name, sequence.name, case.call.occurrence
    )


def _may_reenter(sequence: Sequence, before: Enrolment) -> bool:
    return sequence.reentry == "after_end" and before.ended_at is not None


def _hook_event(case: _Case, decision: _Decision) -> HookEvent:
    return HookEvent(
        id=new_id(),
        received_at=case.now,
        source=case.call.source,
        campaign=case.campaign.name,
        hook=case.call.hook,
        handler=case.campaign.hooks[case.call.hook].handler,
        event=case.call.event.value,
        contact_id=case.contact.id,
        dedupe_key=_dedupe_key(case, decision.run),
        payload=dict(case.call.payload),
        outcome=decision.outcome,
        mode=case.deps.mode.value,
    )


def _dedupe_key(case: _Case, run: int) -> str:
    return f"{case.contact.id}:{case.campaign.name}:{case.call.event}:{case.call.occurrence}:{run}"


def _start(case: _Case, sequence: Sequence, hook: HookEvent, run: int) -> Enrolment:
    deps, call, now = case.deps, case.call, case.now
    anchor_at = anchor(call.first, sequence, call.anchor_at, now)
    interval = deps.settings.testing_interval_seconds
    planned = plan_emails(sequence, call.first, anchor_at, mode=deps.mode, interval_seconds=interval, now=now)
    today = now.astimezone(ZoneInfo(case.campaign.timezone)).date()
    enrolment = Enrolment(
        id=new_id(),
        contact_id=case.contact.id,
        hook_event_id=hook.id,
        campaign=case.campaign.name,
        sequence=sequence.name,
        occurrence=call.occurrence,
        run=run,
        mode=deps.mode.value,
        kind=sequence.kind.value,
        anchor_at=anchor_at,
        deadline=deadline_after(case.campaign.deadline, today),
        variables={**case.contact.properties, **call.variables},
        mirror_stale_since=now,
        created_at=now,
        emails=planned,
    )
    enrolments.add(case.session, enrolment)
    case.session.add_all(planned_events(planned, now))
    return enrolment
