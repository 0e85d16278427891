"""Trace: a contact's whole story, and one plain sentence for each sequence."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from funnel_app.campaigns.states import STOPPED, State
from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up
from funnel_app.flows.receipt import iso
from funnel_app.ledger import contacts, email_events, enrolments, hook_events
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment, EnrolmentState, HookEvent

Timeline = dict[Any, list[EmailEvent]]


def trace(deps: Deps, address: str) -> dict[str, Any]:
    """Return the story of an address as plain data, by the contract; `contact` is None for one we never heard of."""
    with deps.reads() as session:
        contact = contacts.find(session, looked_up(address))
        if contact is None:
            return {"contact": None, "hooks": [], "enrolments": []}
        joined = enrolments.of_contact(session, contact.id)
        timeline = email_events.of_emails(session, [email.id for e in joined for email in e.emails])
        hooks = hook_events.of_contact(session, contact.id)
    return {
        "contact": _contact(contact),
        "hooks": [_hook(hook) for hook in hooks],
        "enrolments": [_enrolment(enrolment, timeline, deps.now()) for enrolment in joined],
    }


def _contact(contact: Contact) -> dict[str, Any]:
    return {
        "id": str(contact.id),
        "email": contact.email,
        "first_name": contact.first_name,
        "business_name": contact.business_name,
        "timezone": contact.timezone,
        "created_at": iso(contact.created_at),
    }


def _hook(hook: HookEvent) -> dict[str, Any]:
    answer = hook.answer or {}
    return {
        "id": str(hook.id),
        "at": iso(hook.received_at),
        "hook": hook.hook,
        "event": hook.event,
        "source": hook.source,
        "outcome": str(hook.outcome),
        "reason": answer.get("reason"),
        "ended": answer.get("ended", []),
    }


def _enrolment(enrolment: Enrolment, timeline: Timeline, now: datetime) -> dict[str, Any]:
    return {
        "campaign": enrolment.campaign,
        "sequence": enrolment.sequence,
        "state": str(enrolment.state),
        "mode": enrolment.mode,
        "sentence": sentence(enrolment, now),
        "emails": [_email(email, timeline[email.id]) for email in enrolment.emails],
    }


def _email(email: Email, events: list[EmailEvent]) -> dict[str, Any]:
    return {
        "step": email.step,
        "template": email.template_key,
        "due_at": iso(email.due_at),
        "state": str(email.state),
        "reason": email.reason,
        "resend_id": email.resend_id,
        "events": [{"at": iso(event.at), "kind": event.kind, "detail": event.detail} for event in events],
    }


def sentence(enrolment: Enrolment, now: datetime) -> str:
    """Say in one sentence what happened in a sequence and what comes next, or why nothing does."""
    done = [email for email in enrolment.emails if email.state == State.DELIVERED]
    so_far = f"{len(done)} of {len(enrolment.emails)} emails delivered"
    if enrolment.state == EnrolmentState.EXITED:
        return f"{so_far}; the sequence ended: {enrolment.exit_reason}."
    if enrolment.state == EnrolmentState.PAUSED:
        return f"{so_far}; the sequence is paused by a person."
    waiting = next((email for email in enrolment.emails if email.state in NEXT), None)
    if waiting is not None:
        return f"{so_far}; {NEXT[State(waiting.state)](waiting, now)}."
    stopped = [f"email {e.step} {e.state}: {e.reason or 'no reason given'}" for e in enrolment.emails if _is_stopped(e)]
    return "; ".join([so_far, *stopped]) + "."


def _is_stopped(email: Email) -> bool:
    return email.state in STOPPED


def _planned(email: Email, now: datetime) -> str:
    if email.due_at <= now:
        return f"email {email.step} is due and goes as soon as sending allows"
    return f"email {email.step} goes on {email.due_at:%A %d %B at %H:%M} UTC"


NEXT: dict[State, Callable[[Email, datetime], str]] = {
    State.PLANNED: _planned,
    State.SENDING: lambda email, now: f"email {email.step} is being handed to Resend",
    State.HELD: lambda email, now: f"email {email.step} is held: {email.reason}; it goes by itself when that is mended",
    State.AMBIGUOUS: lambda email, now: (
        f"email {email.step} {email.reason}; Resend's report or a person (flask emails resolve) settles it"
    ),
    State.SENT: lambda email, now: f"email {email.step} was accepted by Resend and waits for proof of delivery",
    State.DELAYED: lambda email, now: (
        f"email {email.step} is delayed on its way: {email.reason or 'Resend tries again'}"
    ),
}
