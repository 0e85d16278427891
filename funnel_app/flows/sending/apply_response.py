"""Apply Resend's response: what each answer means for a request, its emails and the sending pause."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from funnel_app.campaigns.reasons import ReasonCode, of_refusal, of_wait
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.gateways.resend.mailer import Answer, AnswerKind
from funnel_app.ledger import batches, contacts, email_events, emails, requests
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState, Request, RequestState

WORKS_AGAIN = frozenset({AnswerKind.ACCEPTED, AnswerKind.INVALID, AnswerKind.CONFLICT, AnswerKind.CONCURRENT})
UNKNOWN_FOR = timedelta(hours=1)
# Resend forgets a key after 24 hours; one hour is the margin.
KEY_KEPT_FOR = timedelta(hours=23)
SOON = timedelta(seconds=2)

log = structlog.get_logger()


def apply_response(deps: Deps, request_id: UUID, answer: Answer) -> None:
    """Record an answer and act on it. Safe to repeat: an answer that is already recorded stays."""
    # Recorded first: if Redis is away, only the pause is lost, and the next call sets it.
    email_ids = _record(deps, request_id, answer)
    _adjust_sending(deps, answer)
    ids = {"request": str(request_id), "emails": email_ids}
    log.info("request_answered", **ids, answer=answer.kind.value, detail=answer.detail)


@retry_on_conflict
def _record(deps: Deps, request_id: UUID, answer: Answer) -> list[str]:
    now = deps.now()
    with deps.sessions.begin() as session:
        known = requests.get(session, request_id)
        contacts.lock_of_emails(session, [UUID(email_id) for email_id in known.email_ids])
        session.refresh(known, with_for_update=True)
        if known.state in requests.UNSETTLED:
            RULES[answer.kind](deps, session, known, answer, now)
        return known.email_ids


def must_give_up(request: Request, now: datetime) -> bool:
    """Say whether a request has been in doubt for so long that repeating it could send a second email."""
    if request.unknown_since is None:
        return False
    tried = request.first_tried_at or request.created_at
    return now - request.unknown_since > UNKNOWN_FOR or now - tried > KEY_KEPT_FOR


def give_up(session: Session, request: Request, now: datetime) -> None:
    """Mark the emails of a doubtful request ambiguous; only a webhook or a person settles them from then on."""
    told = of_wait(AnswerKind.UNKNOWN, request.last_error) if request.last_error else "the worker died in the call"
    _make_ambiguous(session, request, f"may have gone out: {told}", now)


def _adjust_sending(deps: Deps, answer: Answer) -> None:
    if answer.rate is not None:
        deps.rate.learn(answer.rate)
    if answer.kind in WORKS_AGAIN:
        deps.pause.clear()
    elif answer.kind in {AnswerKind.UNKNOWN, AnswerKind.UNREACHABLE}:
        deps.pause.back_off(answer.detail, "outage")
    elif answer.kind is AnswerKind.PAUSED:
        deps.pause.back_off(answer.detail, "config")
    elif answer.kind in {AnswerKind.RATE_LIMITED, AnswerKind.QUOTA}:
        deps.pause.pause(answer.detail, answer.retry_after or 1.0, answer.kind.value)


def _accepted(deps: Deps, session: Session, request: Request, answer: Answer, now: datetime) -> None:
    unheard, taken = batches.unheard(session, request.id), {}
    for position, email_id in enumerate(map(UUID, request.email_ids)):
        if position not in answer.refused and email_id in unheard:
            taken[email_id] = answer.ids[position]
    batches.mark_sent(session, taken, now)
    if len(taken) < len(request.email_ids):
        for position, email in requests.placed(session, request):
            if position in answer.refused:
                _fail(session, email, answer.refused[position], now)
            elif email.id not in taken:
                _record_id(session, email, answer.ids[position], now)
    requests.close(request, RequestState.ANSWERED, None, now)


def _record_id(session: Session, email: Email, resend_id: str | None, now: datetime) -> None:
    """Record Resend's id of an email that was in doubt, or that Resend reported on before it answered."""
    # If the delivery report came first, only the id and the time are still missing.
    email.resend_id = email.resend_id or resend_id
    if resend_id != email.resend_id:
        email_events.add_copy(session, email.id, resend_id, now)
    if email.state in {State.SENDING, State.AMBIGUOUS}:
        emails.move(session, email, State.SENT, now)
    else:
        email.sent_at = email.sent_at or now


def _fail(session: Session, email: Email, words: str, now: datetime) -> None:
    if email.state == State.SENDING:
        emails.move(session, email, State.FAILED, now, of_refusal(words))


def _invalid(deps: Deps, session: Session, request: Request, answer: Answer, now: datetime) -> None:
    if request.unknown_since is not None:
        # The earlier try may have been accepted: a refusal of the repeat proves nothing.
        _make_ambiguous(session, request, f"may have gone out before {of_refusal(answer.detail)}", now)
        return
    refused = requests.emails_of(session, request)
    for email in refused:
        if len(request.email_ids) == 1:
            _fail(session, email, answer.detail, now)
        elif email.state == State.SENDING:
            email.request_id = None
            put_back(session, email, "its batch was refused: it goes by itself", now)
    requests.close(request, RequestState.REFUSED, answer.detail, now)


def put_back(session: Session, email: Email, why: str, now: datetime) -> None:
    """Plan an email again whose call did not take it; where its sequence ended meanwhile, cancel it instead."""
    enrolment = session.get_one(Enrolment, email.enrolment_id)
    # What ended the sequence left it to the call.
    if enrolment.state == EnrolmentState.EXITED:
        emails.move(session, email, State.CANCELLED, now, enrolment.exit_reason)
    else:
        emails.move(session, email, State.PLANNED, now, why)


def _conflict(deps: Deps, session: Session, request: Request, answer: Answer, now: datetime) -> None:
    reason = "may have gone out: Resend took this email before, with another text"
    _make_ambiguous(session, request, reason, now)


def _unknown(deps: Deps, session: Session, request: Request, answer: Answer, now: datetime) -> None:
    request.state = RequestState.UNKNOWN
    request.unknown_since = request.unknown_since or now
    _again(deps, session, request, answer, now)


def _again(deps: Deps, session: Session, request: Request, answer: Answer, now: datetime) -> None:
    wait = timedelta(seconds=answer.retry_after) if answer.retry_after is not None else SOON
    requests.postpone(request, now + wait, answer.detail)
    for email in requests.emails_of(session, request):
        if email.state == State.SENDING:
            email.reason = of_wait(answer.kind, answer.detail, answer.name)
            email.reason_code = ReasonCode.RESEND_REFUSES_ALL if answer.kind is AnswerKind.PAUSED else None


def _make_ambiguous(session: Session, request: Request, reason: str, now: datetime) -> None:
    for email in requests.emails_of(session, request):
        if email.state == State.SENDING:
            emails.move(session, email, State.AMBIGUOUS, now, reason)
    request.last_error = reason
    request.next_attempt_at = None
    requests.release(request)
    log.error("emails_ambiguous", request=str(request.id), emails=request.email_ids, reason=reason)


RULES: Mapping[AnswerKind, Callable[[Deps, Session, Request, Answer, datetime], None]] = {
    AnswerKind.ACCEPTED: _accepted,
    AnswerKind.INVALID: _invalid,
    AnswerKind.RATE_LIMITED: _again,
    AnswerKind.QUOTA: _again,
    AnswerKind.PAUSED: _again,
    AnswerKind.CONCURRENT: _unknown,
    AnswerKind.CONFLICT: _conflict,
    AnswerKind.UNKNOWN: _unknown,
    AnswerKind.UNREACHABLE: _again,
}
