"""Emails: the one place that says which may be claimed, and the one function that moves them between states."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from funnel_app.campaigns.model import Kind
from funnel_app.campaigns.reasons import Reason
from funnel_app.campaigns.states import HOLDS_SUCCESSOR, State, check
from funnel_app.ledger import lead_events, outbox
from funnel_app.ledger.after_commit import log_after_commit
from funnel_app.ledger.base import written
from funnel_app.ledger.models import Email, EmailEvent, Enrolment, EnrolmentState
from funnel_app.ledger.pauses import is_paused
from funnel_app.ledger.types import UtcTime

# The conditions of the partial indexes, for the queries that want to use them.
UNDER_WAY = written(Email.state, State.SENDING, State.HELD, State.AMBIGUOUS)
UNCONFIRMED = written(Email.state, State.SENT, State.DELAYED)


class Due(NamedTuple):
    """An email that waits for its time, and what it is by law."""

    id: UUID
    due_at: datetime
    kind: str


@cache
def claimable() -> ColumnElement[bool]:
    """Return what holds for emails that may be claimed: planned, due, wanted, and with no earlier step to wait for.

    Whoever asks gives the parameters `now` and `modes`. It is built once, which takes longer than to ask it.
    """
    now = bindparam("now", type_=UtcTime)
    return and_(
        written(Email.state, State.PLANNED),
        Email.due_at <= now,
        or_(Email.next_attempt_at.is_(None), Email.next_attempt_at <= now),
        _runs(),
        ~waits_for_earlier(),
    )


def waits_for_earlier() -> ColumnElement[bool]:
    """Return what holds for emails that an earlier step of their enrolment keeps back."""
    earlier = aliased(Email)
    return exists().where(
        earlier.enrolment_id == Email.enrolment_id, earlier.step < Email.step, earlier.state.in_(HOLDS_SUCCESSOR)
    )


def _runs() -> ColumnElement[bool]:
    # Asked per email, not the other way round: few emails are due, and many enrolments run.
    running = aliased(Enrolment)
    return exists().where(
        running.id == Email.enrolment_id,
        running.state == EnrolmentState.ACTIVE,
        running.mode.in_(bindparam("modes", expanding=True)),
        ~is_paused(running, bindparam("now", type_=UtcTime)),
    )


def due(session: Session, now: datetime, modes: Collection[str], limit: int, *, untried: bool = False) -> list[Due]:
    """Return the emails that a claim at this time would win: transactional ones first, then the longest due.

    With `untried` only those that were never a part of a request: one whose batch was refused goes by itself.
    """
    given = {"now": now, "modes": list(modes)}
    return [Due(*row) for row in session.execute(_due(untried).limit(limit), given)]


@cache
def _due(untried: bool) -> Select[UUID, datetime, str]:
    first = case((Enrolment.kind == Kind.TRANSACTIONAL, 0), else_=1)
    wanted = select(Email.id, Email.due_at, Enrolment.kind).join(Enrolment).where(claimable())
    return (wanted.where(Email.freezes == 0) if untried else wanted).order_by(first, Email.due_at, Email.id)


def was_tried(session: Session, email_id: UUID) -> bool:
    """Say whether an email was ever a part of a request."""
    return bool(session.scalar(select(Email.freezes).where(Email.id == email_id)))


def load(session: Session, ids: Collection[UUID]) -> list[Email]:
    """Return emails with their enrolment and contact, fresh from the ledger, in a steady order."""
    return list(session.scalars(_LOADED, {"ids": list(ids)}))


# Built once: every event that Resend reports asks it.
_LOADED = (
    select(Email)
    .where(Email.id.in_(bindparam("ids", expanding=True)))
    .options(joinedload(Email.enrolment).joinedload(Enrolment.contact))
    .order_by(Email.id)
    .execution_options(populate_existing=True)
)


def move(
    session: Session,
    email: Email,
    new: State,
    at: datetime,
    reason: str | Reason | None = None,
    *,
    heard_at: datetime | None = None,
) -> None:
    """Bring an email into a state, with the time, the reason and the row of its timeline.

    `heard_at` is when we learned of it, where that was later. Raises IllegalTransition for a step that the table of
    states does not allow.
    """
    check(State(email.state), new)
    email.state = new
    words, email.reason_code = reason if isinstance(reason, Reason) else (reason, None)
    email.reason = words
    setattr(email, f"{new}_at", at)
    if new in {State.PLANNED, State.HELD}:
        email.lease_token = email.lease_until = None
    enrolment = session.get_one(Enrolment, email.enrolment_id)
    enrolment.mirror_stale_since = heard_at or at
    outbox.add(session.connection(), lead_events.moved(enrolment, email, new, at), heard_at or at)
    known_as = email.resend_id if new in {State.SENT, State.PLANNED} else None
    row = {"kind": new, "at": at, "recorded_at": heard_at or at, "detail": words, "resend_id": known_as}
    session.add(EmailEvent(email_id=email.id, **row))
    ids = {"email": str(email.id), "enrolment": str(email.enrolment_id)}
    log_after_commit(session, "email_moved", **ids, state=str(new), reason=words)


def abandoned(session: Session, now: datetime, limit: int) -> list[UUID]:
    """Return emails that were claimed by a process that died before any request carried them."""
    wanted = select(Email.id).where(
        UNDER_WAY, Email.state == State.SENDING, Email.request_id.is_(None), Email.lease_until < now
    )
    return list(session.scalars(wanted.limit(limit)))


def held(session: Session, now: datetime, modes: Collection[str], limit: int) -> list[UUID]:
    """Return held emails of running enrolments that nobody paused, and whose next look is due."""
    wanted = select(Email.id).where(
        UNDER_WAY,
        Email.state == State.HELD,
        or_(Email.next_attempt_at.is_(None), Email.next_attempt_at <= now),
        _runs(),
    )
    return list(session.scalars(wanted.order_by(Email.due_at).limit(limit), {"now": now, "modes": list(modes)}))


def sent_since(session: Session, now: datetime, limit: int) -> list[Email]:
    """Return emails of a restored ledger that may have gone out after its backup: they were due, or in flight."""
    waiting = and_(Email.state.in_([State.PLANNED, State.HELD]), Email.due_at <= now)
    return list(session.scalars(select(Email).where(or_(waiting, Email.state == State.SENDING)).limit(limit)))


def later_planned(session: Session, email: Email) -> list[Email]:
    """Return the steps of the same enrolment that come after this one and have not begun."""
    wanted = select(Email).where(
        Email.enrolment_id == email.enrolment_id, Email.step > email.step, Email.state == State.PLANNED
    )
    return list(session.scalars(wanted.order_by(Email.step)))


def planned_between(session: Session, after: datetime, until: datetime, limit: int) -> list[Due]:
    """Return the planned emails due in a span, soonest first, for the clock."""
    wanted = (
        select(Email.id, Email.due_at, Enrolment.kind)
        .join(Enrolment)
        .where(written(Email.state, State.PLANNED), Email.due_at > after, Email.due_at <= until)
        .where(Enrolment.state == EnrolmentState.ACTIVE)
        .order_by(Email.due_at)
        .limit(limit)
    )
    return [Due(*row) for row in session.execute(wanted)]


def find_by_resend_id(session: Session, resend_id: str) -> UUID | None:
    """Return the id of the email that Resend knows by this id; None where we never heard of it."""
    return session.scalars(select(Email.id).where(Email.resend_id == resend_id).limit(1)).one_or_none()


def unconfirmed(session: Session, now: datetime, first_after: timedelta, limit: int) -> list[UUID]:
    """Return emails that the provider took a while ago, and after which it is time to ask, oldest first."""
    wanted = select(Email.id).where(
        UNCONFIRMED,
        Email.resend_id.is_not(None),
        Email.sent_at <= now - first_after,
        or_(Email.next_check_at.is_(None), Email.next_check_at <= now),
    )
    return list(session.scalars(wanted.order_by(Email.sent_at).limit(limit)))
