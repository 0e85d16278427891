"""Prefect runs: the old website's calls, as Prefect would describe them.

A run is a hook event. It is Completed only when every email of its enrolment is delivered or stopped with a reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from funnel_app.campaigns.states import OPEN
from funnel_app.deps import Deps
from funnel_app.flows.tracing.trace import sentence
from funnel_app.ledger import enrolments, hook_events
from funnel_app.ledger.models import Enrolment, EnrolmentState, HookEvent, Outcome


@dataclass(frozen=True, kw_only=True)
class Run:
    """One call and the state of its emails."""

    id: UUID
    campaign: str
    hook: str
    parameters: Mapping[str, Any]
    created_at: datetime
    state: str
    message: str
    started_at: datetime | None = None
    ended_at: datetime | None = None


def find_run(deps: Deps, hook_id: UUID) -> Run | None:
    """Return the run of a hook event; None if the id is unknown."""
    with deps.reads() as session:
        hook = hook_events.find(session, hook_id)
        enrolment = enrolments.find(session, _enrolment_id(hook)) if hook else None
    return _run(hook, enrolment, deps.now()) if hook else None


def find_run_by_key(deps: Deps, key: str) -> Run | None:
    """Return the run made under an idempotency key; None if the key is new."""
    with deps.reads() as session:
        hook = hook_events.find_by_key(session, key)
    return find_run(deps, hook.id) if hook else None


def _enrolment_id(hook: HookEvent | None) -> UUID | None:
    found = (hook.answer or {}).get("enrolment_id") if hook else None
    return UUID(found) if found else None


def _run(hook: HookEvent, enrolment: Enrolment | None, now: datetime) -> Run:
    common: dict[str, Any] = {
        "id": hook.id,
        "campaign": hook.campaign,
        "hook": hook.hook,
        "parameters": hook.payload,
        "created_at": hook.received_at,
    }
    if enrolment is None:
        failed = hook.outcome == Outcome.REFUSED
        said = (hook.answer or {}).get("reason") or ("refused" if failed else "recorded; it starts no emails")
        at = hook.received_at
        return Run(state="FAILED" if failed else "COMPLETED", message=said, started_at=at, ended_at=at, **common)
    begun = [email.sending_at for email in enrolment.emails if email.sending_at]
    state = _state(enrolment, bool(begun))
    return Run(
        state=state,
        message=sentence(enrolment, now),
        started_at=min(begun, default=None),
        ended_at=(enrolment.ended_at or now) if state == "COMPLETED" else None,
        **common,
    )


def _state(enrolment: Enrolment, begun: bool) -> str:
    if not any(email.state in OPEN for email in enrolment.emails):
        return "COMPLETED"
    if enrolment.state == EnrolmentState.PAUSED:
        return "PAUSED"
    return "RUNNING" if begun else "SCHEDULED"
