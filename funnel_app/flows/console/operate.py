"""Operate: an operator's actions on an enrolment, an email or an address, recorded in the audit log."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.spoken import full_stop
from funnel_app.campaigns.states import HOLDS_SUCCESSOR, WAITING, State
from funnel_app.deps import Deps
from funnel_app.flows.console import intervene
from funnel_app.flows.console.intervene import NotPossible
from funnel_app.flows.intake.end import end_all
from funnel_app.flows.intake.schedule import schedule
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.flows.privacy.erase import NotYet
from funnel_app.flows.privacy.erase import erase as erase_address
from funnel_app.flows.privacy.suppress import forbid
from funnel_app.ledger import contacts, email_events, emails, enrolments, operator_actions
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.emails import Due
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState, Scope
from funnel_app.ledger.operator_actions import OperatorAction
from funnel_app.ledger.queries import leads

OVER = frozenset({EnrolmentState.EXITED, EnrolmentState.COMPLETED})
ERASED_ALREADY = "This lead was erased already: nothing more can be done to it."


def pause(deps: Deps, enrolment_id: UUID, operator: str, **more: Any) -> str:
    """Pause an enrolment until it is resumed. A pause before an email's freeze wins."""

    def change(session: Session, enrolment: Enrolment, now: datetime) -> str:
        _require(deps.registry, enrolment, EnrolmentState.ACTIVE)
        enrolment.state = EnrolmentState.PAUSED
        return f"{_title(deps.registry, enrolment)} is paused"

    return _change(deps, enrolment_id, operator, "pause", change, **more)


def resume(deps: Deps, enrolment_id: UUID, operator: str, **more: Any) -> str:
    """Resume a paused enrolment. Emails that became due meanwhile go now and move the later ones."""

    def change(session: Session, enrolment: Enrolment, now: datetime) -> str:
        _require(deps.registry, enrolment, EnrolmentState.PAUSED)
        enrolment.state = EnrolmentState.ACTIVE
        return f"{_title(deps.registry, enrolment)} goes on"

    return _change(deps, enrolment_id, operator, "resume", change, **more)


def stop(deps: Deps, enrolment_id: UUID, operator: str, **more: Any) -> str:
    """End an enrolment: everything not yet submitted is cancelled, with the operator's name as the reason."""

    def change(session: Session, enrolment: Enrolment, now: datetime) -> str:
        _require(deps.registry, enrolment, EnrolmentState.ACTIVE, EnrolmentState.PAUSED)
        end_all(session, [enrolment], f"stopped by {operator}", now)
        return f"{_title(deps.registry, enrolment)} is stopped"

    return _change(deps, enrolment_id, operator, "stop", change, **more)


def send_next_now(deps: Deps, enrolment_id: UUID, operator: str, **more: Any) -> str:
    """Make an enrolment's next email due now; the later ones keep their times."""

    def change(session: Session, enrolment: Enrolment, now: datetime) -> str:
        _require(deps.registry, enrolment, EnrolmentState.ACTIVE)
        email = next_email(enrolment)
        if email is None or email.state != State.PLANNED:
            raise NotPossible(_why_not_next(email))
        was = email.due_at
        email.due_at, email.was_due_at, email.next_attempt_at = now.replace(microsecond=0), None, None
        email.asked_for_at = now
        email_events.add_manual(session, email.id, f"{operator} sends it now; it was due {said_at(deps, was)}", now)
        return f"“{deps.registry.title_of_email(email.template_key)}” goes now"

    return _change(deps, enrolment_id, operator, "send_next_now", change, **more)


def skip_step(deps: Deps, email_id: UUID, operator: str) -> str:
    """Skip one email that is still planned; the others keep their times."""

    def change(session: Session, enrolment: Enrolment, now: datetime) -> str:
        email = next(email for email in enrolment.emails if email.id == email_id)
        if email.state not in WAITING:
            raise NotPossible(f"Email {email.step} is {email.state} already: it cannot be skipped any more.")
        emails.move(session, email, State.SKIPPED, now, f"skipped by {operator}")
        return f"“{deps.registry.title_of_email(email.template_key)}” is skipped"

    return _change(deps, _enrolment_of(deps.reads, email_id), operator, "skip_step", change, email_id=email_id)


def found_delivered(deps: Deps, email_id: UUID, operator: str) -> str:
    """Settle an ambiguous email as delivered, on an operator's word who saw it at Resend."""
    return _settle(deps, email_id, operator, "found_delivered", lambda: intervene.resolve(deps, email_id, "delivered"))


def send_again(deps: Deps, email_id: UUID, operator: str) -> str:
    """Send an ambiguous email again, on an operator's word that it never went out."""
    return _settle(deps, email_id, operator, "send_again", lambda: intervene.resolve(deps, email_id, "not-sent"))


def retry(deps: Deps, email_id: UUID, operator: str) -> str:
    """Send a failed email again, or repeat the call of one in flight now."""
    return _settle(deps, email_id, operator, "retry", lambda: intervene.retry(deps, email_id))


def release(deps: Deps, email_id: UUID, operator: str) -> str:
    """Release a held email now."""
    return _settle(deps, email_id, operator, "release", lambda: intervene.release(deps, email_id))


@retry_on_conflict
def suppress(deps: Deps, contact_id: UUID, operator: str, scope: Scope = Scope.ALL, **more: Any) -> str:
    """Suppress an address (all mail, or marketing) and end its sequences. Safe to repeat."""
    now = deps.now()
    told = f"{'nothing' if scope is Scope.ALL else 'no marketing'} goes to this address any more"
    with deps.sessions.begin() as session:
        contact = leads.get(session, contact_id)
        if contacts.is_erased(contact):
            raise NotPossible(ERASED_ALREADY)
        forbid(deps, session, contact, scope, f"mail was stopped by {operator}", "console")
        about = {"contact_id": contact_id, "detail": told, **more}
        _note(session, OperatorAction(at=now, operator=operator, action="suppress", **about))
    return told


def erase(deps: Deps, contact_id: UUID, operator: str) -> str:
    """Erase a person everywhere, except for a hash that keeps the address suppressed."""
    with deps.reads() as session:
        contact = leads.find(session, contact_id)
    if contact is None or contacts.is_erased(contact):
        raise NotPossible(ERASED_ALREADY)
    try:
        erased = erase_address(deps, contact.email_norm)
    except NotYet as fault:
        raise NotPossible(str(fault)) from None
    told = "the lead is forgotten" + (f"; {erased.pages_left} pages in Notion follow" if erased.pages_left else "")
    if erased.tables_left:
        told += "; Notion could not be asked for other rows of theirs: look there for the address"
    note(deps, operator, "erase", contact_id, told)
    return told


def look_again(deps: Deps, key: str, operator: str) -> str:
    """Recheck a template's held emails now instead of at the next sweep."""
    now = deps.now()
    with deps.sessions.begin() as session:
        count = leads.hurry_held(session, key, now)
        told = f"{count} held emails of “{deps.registry.title_of_email(key)}” are looked at again within seconds"
        _note(session, OperatorAction(at=now, operator=operator, action="look_again", detail=told))
    return told


def note(deps: Deps, operator: str, action: str, contact_id: UUID | None, detail: str, **more: Any) -> None:
    """Record an operator's action done by another flow; `more` may have `email_id` and the call's `source`."""
    about = {"contact_id": contact_id, "detail": detail, **more}
    row = OperatorAction(at=deps.now(), operator=operator, action=action, **about)
    with deps.sessions.begin() as session:
        _note(session, row)


def next_email(enrolment: Enrolment) -> Email | None:
    """Return the first unfinished email; None if all are finished."""
    return next((email for email in enrolment.emails if email.state in HOLDS_SUCCESSOR), None)


def _settle(deps: Deps, email_id: UUID, operator: str, action: str, do: Callable[[], str]) -> str:
    enrolment_id = _enrolment_of(deps.reads, email_id)
    told = do()
    with deps.sessions.begin() as session:
        contact_id = leads.owner_of_enrolment(session, enrolment_id)
        about = {"contact_id": contact_id, "enrolment_id": enrolment_id, "email_id": email_id}
        _note(session, OperatorAction(at=deps.now(), operator=operator, action=action, detail=told, **about))
    return told


Change = Callable[[Session, Enrolment, datetime], str]


@retry_on_conflict
def _change(deps: Deps, enrolment_id: UUID, operator: str, action: str, change: Change, **more: Any) -> str:
    now = deps.now()
    with deps.sessions.begin() as session:
        contacts.lock(session, [leads.owner_of_enrolment(session, enrolment_id)])
        enrolment = enrolments.find(session, enrolment_id)
        if enrolment is None:
            raise NotPossible("This enrolment is not there any more.")
        told = change(session, enrolment, now)
        enrolment.mirror_stale_since = now
        who = {"operator": operator, "contact_id": enrolment.contact_id, "enrolment_id": enrolment_id}
        _note(session, OperatorAction(at=now, action=action, detail=told, **who, **more))
        planned = _to_schedule(enrolment)
    schedule(deps, planned)
    return told


def _to_schedule(enrolment: Enrolment) -> list[Due]:
    if enrolment.state != EnrolmentState.ACTIVE:
        return []
    return [Due(email.id, email.due_at, enrolment.kind) for email in enrolment.emails if email.state == State.PLANNED]


def _require(registry: Registry, enrolment: Enrolment, *states: EnrolmentState) -> None:
    if enrolment.state not in states:
        stands = "over" if enrolment.state in OVER else enrolment.state
        raise NotPossible(f"{_title(registry, enrolment)} is {stands}: this is not possible any more.")


def _title(registry: Registry, enrolment: Enrolment) -> str:
    return f"“{registry.title_of_sequence(enrolment.campaign, enrolment.sequence)}”"


def _why_not_next(email: Email | None) -> str:
    if email is None:
        return "No email of this sequence is left to send."
    return full_stop(f"Email {email.step} comes first, and it is {email.state}: {email.reason or 'it is on its way'}")


def _enrolment_of(reads: sessionmaker[Session], email_id: UUID) -> UUID:
    with reads() as session:
        found = emails.load(session, [email_id])
    if not found:
        raise NotPossible("This email is not there any more.")
    return found[0].enrolment_id


def _note(session: Session, action: OperatorAction) -> None:
    operator_actions.add(session, action)
