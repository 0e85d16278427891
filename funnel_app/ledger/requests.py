"""Requests: one row a call to Resend, leased so that one worker at a time makes it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from funnel_app.ledger.models import Email, Request, RequestState
from funnel_app.ledger.models.base import one_of, written

UNSETTLED = (RequestState.OPEN, RequestState.UNKNOWN)
_FREE = or_(Request.lease_until.is_(None), Request.lease_until < bindparam("now"))
_DUE = Request.next_attempt_at <= bindparam("now")
_ONE = select(Request).where(Request.id == bindparam("request"))
_OF_IDS = select(Request).where(one_of(Request.id, "ids"))
_TAKEN = _ONE.where(Request.state.in_(UNSETTLED), _DUE, _FREE).with_for_update(skip_locked=True)
_REPEATABLE = (
    select(Request.id)
    .where(written(Request.state, *UNSETTLED), _DUE, _FREE)
    .order_by(Request.next_attempt_at)
    .limit(bindparam("most"))
)
_PLACED = select(Email).where(Email.request_id == bindparam("request"))


def add(session: Session, key: str, email_ids: Sequence[UUID], now: datetime, token: UUID, lease: timedelta) -> Request:
    """Store a new call that is about to be made, leased to the caller."""
    request = Request(
        idempotency_key=key,
        email_ids=[str(email_id) for email_id in email_ids],
        attempts=0,
        created_at=now,
        next_attempt_at=now,
    )
    begin_try(request, now, token, lease)
    session.add(request)
    session.flush()
    return request


def get(session: Session, request_id: UUID) -> Request:
    """Return a request; NoResultFound if the id is unknown."""
    return session.scalars(_ONE, {"request": request_id}).one()


def by_ids(session: Session, request_ids: Collection[UUID]) -> dict[UUID, Request]:
    """Return these requests by their ids, in one query."""
    rows = session.scalars(_OF_IDS, {"ids": list(request_ids)}) if request_ids else ()
    return {request.id: request for request in rows}


def take(session: Session, request_id: UUID, now: datetime) -> Request | None:
    """Lock an unsettled call that is due and free; None if there is none.

    An expired lease belongs to a worker that died, perhaps during the call: if a try began, its outcome is unknown.
    """
    request = session.scalars(_TAKEN, {"request": request_id, "now": now}).one_or_none()
    if request is None:
        return None
    if request.lease_until is not None and request.attempts:
        request.state = RequestState.UNKNOWN
        request.unknown_since = request.unknown_since or request.lease_until
    return request


def begin_try(request: Request, now: datetime, token: UUID, lease: timedelta) -> None:
    """Record that the caller is about to make the call: after an expired lease nobody can know whether it did."""
    request.attempts += 1
    request.first_tried_at = request.first_tried_at or now
    request.lease_token, request.lease_until = token, now + lease


def postpone(request: Request, until: datetime, reason: str) -> None:
    """Schedule the same call for a later time."""
    request.next_attempt_at = until
    request.last_error = reason
    release(request)


def release(request: Request) -> None:
    """Give the lease back."""
    request.lease_until = request.lease_token = None


def repeatable(session: Session, now: datetime, limit: int) -> list[UUID]:
    """Return unsettled calls that are due again and that no living worker holds."""
    return list(session.scalars(_REPEATABLE, {"now": now, "most": limit}))


def close_unsettled(session: Session, reason: str) -> None:
    """Stop repeating unsettled calls automatically."""
    values = {"next_attempt_at": None, "lease_until": None, "lease_token": None, "last_error": reason}
    session.execute(update(Request).where(written(Request.state, *UNSETTLED)).values(**values))


def placed(session: Session, request: Request) -> list[tuple[int, Email]]:
    """Return the call's emails with their index; without those that an operator planned again."""
    rows = {str(email.id): email for email in session.scalars(_PLACED, {"request": request.id})}
    return [(place, rows[email_id]) for place, email_id in enumerate(request.email_ids) if email_id in rows]


def emails_of(session: Session, request: Request) -> list[Email]:
    """Return the call's emails in order."""
    return [email for _, email in placed(session, request)]


def close(request: Request, state: RequestState, detail: str | None, answered_at: datetime | None = None) -> None:
    """Close a call for good: it was answered, or withdrawn."""
    request.state = state
    request.answered_at = answered_at
    request.next_attempt_at = None
    request.last_error = detail
    release(request)
