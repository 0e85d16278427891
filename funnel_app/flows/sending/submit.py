"""Hand over: make one frozen call to Resend, as often as it takes, and settle its answer.

The key and the payload of a request never change, so that repeating it can never make a second email.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.sending.apply_response import apply_response, give_up, must_give_up
from funnel_app.flows.sending.eligibility import NotInFiles, stop_unwanted, why_not
from funnel_app.flows.sending.sending_status import LEASE, may_send
from funnel_app.ledger import contacts, emails, messages, requests
from funnel_app.ledger.conflicts import retry_on_conflict
from funnel_app.ledger.models import Email, EnrolmentState, Message, Request, RequestState
from funnel_app.ledger.types import new_id
from funnel_app.letters.letter import Letter
from funnel_app.letters.wire import as_resend

LONGEST_SLEEP_S = 5.0


def submit(deps: Deps, request_id: UUID, token: UUID) -> None:
    """Make the call that this worker holds, at the shared rate; do nothing where the lease was lost."""
    if not _wait_for_turn(deps, request_id, token):
        return
    tried = _begin(deps, request_id, token)
    if tried is None:
        return
    key, payloads = tried
    answer = deps.mailer.send(payloads, key)
    apply_response(deps, request_id, answer)


def repeat(deps: Deps, request_id: UUID) -> None:
    """Make a call again whose time has come and that nobody holds; or give it up when too long unknown."""
    if not may_send(deps):
        return
    token = new_id()
    if _take(deps, request_id, token):
        submit(deps, request_id, token)
    else:
        deps.pause.leave_probe()


@retry_on_conflict
def _take(deps: Deps, request_id: UUID, token: UUID) -> bool:
    now = deps.now()
    with deps.sessions.begin() as session:
        contacts.lock_of_emails(session, _email_ids(session, request_id))
        request = requests.take(session, request_id, now, token, LEASE)
        if request is None:
            return False
        if must_give_up(request, now):
            give_up(session, request, now)
            return False
        return not _taken_back(deps, session, request, now)


def _taken_back(deps: Deps, session: Session, request: Request, now: datetime) -> bool:
    """Take back a call that certainly went nowhere, where one of its emails is no longer wanted; say whether it was."""
    if request.unknown_since is not None:
        return False
    waiting = [email for email in emails.load(session, _email_ids(session, request.id)) if _waits(email, request)]
    if all(_is_wanted(deps, session, email, now) for email in waiting):
        return False
    for email in waiting:
        email.request_id = None
        if email.enrolment.state == EnrolmentState.EXITED:
            emails.move(session, email, State.CANCELLED, now, email.enrolment.exit_reason)
        elif email.enrolment.state == EnrolmentState.PAUSED or not stop_unwanted(deps, session, email, now):
            emails.move(session, email, State.PLANNED, now, "given back: Resend has not taken it yet")
    requests.close(request, RequestState.REFUSED, "taken back: an email of it is no longer wanted", now)
    return True


def _waits(email: Email, request: Request) -> bool:
    return email.state == State.SENDING and email.request_id == request.id


def _is_wanted(deps: Deps, session: Session, email: Email, now: datetime) -> bool:
    try:
        return email.enrolment.state == EnrolmentState.ACTIVE and why_not(deps, session, email, now) is None
    except NotInFiles:
        return True


def _email_ids(session: Session, request_id: UUID) -> list[UUID]:
    return [UUID(email_id) for email_id in requests.get(session, request_id).email_ids]


def _wait_for_turn(deps: Deps, request_id: UUID, token: UUID) -> bool:
    while (wait := deps.rate.wait()) > 0:
        with deps.sessions.begin() as session:
            if not requests.renew(session, request_id, token, deps.now() + LEASE):
                return False
        deps.sleep(min(wait, LONGEST_SLEEP_S))
    return True


@retry_on_conflict
def _begin(deps: Deps, request_id: UUID, token: UUID) -> tuple[str, list[dict[str, Any]]] | None:
    with deps.sessions.begin() as session:
        request = requests.begin_try(session, request_id, token, deps.now(), LEASE)
        if request is None:
            return None
        return request.idempotency_key, [as_resend(_letter(m)) for m in messages.of_request(session, request)]


def _letter(message: Message) -> Letter:
    return Letter(
        sender=message.sender,
        to=message.recipient,
        reply_to=message.reply_to,
        subject=message.subject,
        html=message.html or "",
        text=message.text or "",
        headers=message.headers,
        tags=message.tags,
    )
