"""Recheck held emails: release those that can be composed now."""

from datetime import timedelta
from uuid import UUID

from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.sending.eligibility import NotInFiles, forbidden_to, stop_unwanted, why_not
from funnel_app.flows.templates.compose import Sources, compose, gather
from funnel_app.flows.templates.serving import NotReady
from funnel_app.gateways.redis.queue import deliver_job, queue_of
from funnel_app.ledger import contacts, emails
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Email

LOOK_AGAIN_AFTER = timedelta(seconds=30)
AT_A_TIME = 200


def recheck_held(deps: Deps) -> int:
    """Release every held email whose letter can be made now; return how many. Safe to repeat."""
    with deps.reads() as session:
        waiting = emails.load(session, emails.held(session, deps.now(), deps.sendable_modes, AT_A_TIME))
    sources = gather(deps, {(email.enrolment.campaign, email.template_key) for email in waiting})
    released = [email for email in waiting if _recheck(deps, email, sources)]
    if released:
        deps.queues.push([deliver_job(email.id, queue_of(email.enrolment.kind)) for email in released])
    return len(released)


def _recheck(deps: Deps, email: Email, sources: Sources) -> bool:
    try:
        if _ended(deps, email):
            return False
        compose(deps, email, sources)
    except (NotReady, NotInFiles) as fault:
        _note(deps, email, str(fault))
        return False
    return _release(deps, email.id, email.enrolment.contact_id)


@retry_on_conflict
def _ended(deps: Deps, email: Email) -> bool:
    now = deps.now()
    with deps.reads() as session:
        if why_not(deps, session, email, now, forbidden_to(deps.settings, session, [email])) is None:
            return False
    with deps.sessions.begin() as session:
        contacts.lock(session, [email.enrolment.contact_id])
        held = [found for found in emails.load(session, [email.id]) if found.state == State.HELD]
        forbidden = forbidden_to(deps.settings, session, held)
        return any(stop_unwanted(deps, session, found, now, forbidden) for found in held)


@retry_on_conflict
def _note(deps: Deps, email: Email, reason: str) -> None:
    now = deps.now()
    with deps.sessions.begin() as session:
        contacts.lock(session, [email.enrolment.contact_id])
        for held in emails.load(session, [email.id]):
            if held.state == State.HELD:
                held.reason = reason
                held.next_attempt_at = now + LOOK_AGAIN_AFTER


@retry_on_conflict
def _release(deps: Deps, email_id: UUID, contact_id: UUID) -> bool:
    now = deps.now()
    with deps.sessions.begin() as session:
        contacts.lock(session, [contact_id])
        held = [email for email in emails.load(session, [email_id]) if email.state == State.HELD]
        for email in held:
            emails.move(session, email, State.PLANNED, now, "released: its letter can be made now")
            email.reason = email.next_attempt_at = None
        return bool(held)
