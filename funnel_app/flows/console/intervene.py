"""Intervene: what an operator decides for one email where Funnel must not."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from funnel_app.campaigns.states import OPEN, State
from funnel_app.deps import Deps
from funnel_app.gateways.redis.queue import Call, deliver_job, queue_of, repeat_job
from funnel_app.ledger import contacts, emails, requests
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState, RequestState

RECORDED = {
    "delivered": "recorded as delivered",
    "failed": "recorded as failed",
    "not-sent": "recorded as never sent, to go again now",
}
OUTCOMES = tuple(RECORDED)
BY_A_PERSON = "by a person"


class NotPossible(Exception):
    """This cannot be done to this email; the message says why, and what can be done."""


def release(deps: Deps, email_id: UUID) -> str:
    """Release a held email; it is held again if its letter still cannot be made."""

    def change(session: Session, email: Email) -> Call:
        _must_be(email, State.HELD)
        emails.move(session, email, State.PLANNED, deps.now(), f"released {BY_A_PERSON}")
        email.next_attempt_at, email.asked_for_at = None, deps.now()
        return deliver_job(email.id, queue_of(email.enrolment.kind))

    return _do(deps, email_id, change, "released: it goes now if its letter can be made, else it is held again")


def cancel(deps: Deps, email_id: UUID) -> str:
    """Cancel an email that is not submitted; the ones after it go on."""

    def change(session: Session, email: Email) -> None:
        _must_be(email, State.PLANNED, State.HELD)
        emails.move(session, email, State.CANCELLED, deps.now(), f"withdrawn {BY_A_PERSON}")

    return _do(deps, email_id, change, "cancelled: it will not go")


def retry(deps: Deps, email_id: UUID) -> str:
    """Send a failed email again, or repeat the call of one in flight now."""

    def change(session: Session, email: Email) -> Call:
        if email.state == State.SENDING and email.request_id is not None:
            return _hurry(session, email, deps.now())
        _must_be(email, State.FAILED)
        _plan_again(session, email, deps.now(), f"tried again {BY_A_PERSON}")
        return deliver_job(email.id, queue_of(email.enrolment.kind))

    return _do(deps, email_id, change, "queued: see flask trace for what becomes of it")


def resolve(deps: Deps, email_id: UUID, outcome: str) -> str:
    """Record an operator's finding on an email: `delivered`, `failed`, or `not-sent`, which sends it again.

    For an ambiguous email, and for one that Resend accepted and never reported on (which was certainly sent).
    """

    def change(session: Session, email: Email) -> Call | None:
        _must_be(email, State.AMBIGUOUS, State.SENT, State.DELAYED)
        if outcome == "not-sent":
            _must_be(email, State.AMBIGUOUS)
            _plan_again(session, email, deps.now(), f"it never went out, as found {BY_A_PERSON}")
            return deliver_job(email.id, queue_of(email.enrolment.kind))
        words = "it arrived" if outcome == "delivered" else "it did not arrive"
        emails.move(session, email, State(outcome), deps.now(), f"{words}, as found {BY_A_PERSON}")
        _close_request(session, email)
        return None

    return _do(deps, email_id, change, RECORDED[outcome])


@retry_on_conflict
def _do(deps: Deps, email_id: UUID, change: Callable[[Session, Email], Call | None], said: str) -> str:
    with deps.sessions.begin() as session:
        contacts.lock_of_emails(session, [email_id])
        found = emails.load(session, [email_id])
        if not found:
            raise NotPossible(f"There is no email {email_id}; flask trace shows the ids.")
        call = change(session, found[0])
        found[0].enrolment.mirror_stale_since = deps.now()
    if call is not None:
        deps.queues.push([call])
    return said


def _must_be(email: Email, *states: State) -> None:
    if email.state not in states:
        wanted = " or ".join(states)
        because = f" ({email.reason})" if email.reason else ""
        raise NotPossible(f"This email is {email.state}{because}; only one that is {wanted} can be changed so.")


def _hurry(session: Session, email: Email, now: datetime) -> Call:
    request = requests.get(session, email.request_id) if email.request_id else None
    if request is None or request.lease_until is not None or request.next_attempt_at is None:
        raise NotPossible("This email is being handed to Resend at this moment; look again in a minute.")
    request.next_attempt_at = now
    return repeat_job(request.id)


def _plan_again(session: Session, email: Email, now: datetime, reason: str) -> None:
    if contacts.is_erased(email.enrolment.contact):
        raise NotPossible("This person was erased at their own wish: nothing is sent to them.")
    _reopen(email.enrolment)
    _close_request(session, email)
    email.next_attempt_at, email.asked_for_at = None, now
    # The timeline keeps the earlier try's Resend id: later reports of it are not about the new one.
    emails.move(session, email, State.PLANNED, now, reason)
    email.request_id = email.resend_id = None


def _reopen(enrolment: Enrolment) -> None:
    if enrolment.state == EnrolmentState.EXITED:
        raise NotPossible(f"Its sequence has ended: {enrolment.exit_reason}. What is not sent stays so.")
    if enrolment.state == EnrolmentState.COMPLETED:
        enrolment.state = EnrolmentState.ACTIVE
        enrolment.ended_at = None


def _close_request(session: Session, email: Email) -> None:
    if email.request_id is None:
        return
    request = requests.get(session, email.request_id)
    others = [other for other in requests.emails_of(session, request) if other.id != email.id]
    if request.state in requests.UNSETTLED and not any(other.state in OPEN for other in others):
        requests.close(request, RequestState.REFUSED, f"settled {BY_A_PERSON}")
