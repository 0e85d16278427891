"""Emails: the one definition of which may be claimed, and the one function that changes their state."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cache
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from funnel_app.campaigns.model import Kind
from funnel_app.campaigns.reasons import Reason
from funnel_app.campaigns.states import HOLDS_SUCCESSOR, State, check
from funnel_app.ledger import lead_events, outbox
from funnel_app.ledger.database.after_commit import log_after_commit
from funnel_app.ledger.database.compiled import Question
from funnel_app.ledger.models import Email, EmailEvent, Enrolment, EnrolmentState
from funnel_app.ledger.models.base import is_there, one_of, unindexed, written
from funnel_app.ledger.models.types import UtcTime
from funnel_app.ledger.pauses import is_paused

# Conditions of the partial indexes, for queries that should use them.
PLANNED = written(Email.state, State.PLANNED)
UNDER_WAY = written(Email.state, State.SENDING, State.HELD, State.AMBIGUOUS)
UNCONFIRMED = written(Email.state, State.SENT, State.DELAYED)


class Due(NamedTuple):
    """A planned email, and its legal kind."""

    id: UUID
    due_at: datetime
    kind: str


# In the order in which they go.
FIRST_TO_LAST = (Kind.TRANSACTIONAL, Kind.MARKETING)


@cache
def claimable(kind: Kind | None = None) -> ColumnElement[bool]:
    """Return the condition that an email may be claimed: planned, due, wanted, and without an unfinished earlier step.

    Callers bind the parameters `now` and `modes`, and say what leads to the emails: `PLANNED`, or their ids. With a
    `kind` only those of it. Built once, since building takes longer than executing.
    """
    now = bindparam("now", type_=UtcTime)
    return and_(
        unindexed(Email.state) == State.PLANNED,
        Email.due_at <= now,
        or_(Email.next_attempt_at.is_(None), Email.next_attempt_at <= now),
        enrolment_runs(kind),
        ~waits_for_earlier(),
    )


@cache
def waits_for_earlier(states: Collection[State] = HOLDS_SUCCESSOR) -> ColumnElement[bool]:
    """Return the condition that an earlier step of the enrolment is unfinished, or in one of these states."""
    earlier = aliased(Email)
    before = earlier.enrolment_id == Email.enrolment_id, earlier.step < Email.step
    return is_there(select(earlier.id).where(*before, unindexed(earlier.state).in_(states)))


@cache
def enrolment_runs(kind: Kind | None = None) -> ColumnElement[bool]:
    """Return the condition that its enrolment is active, not paused, of one of the bound `modes`, and of this kind."""
    # Checked per email: few emails are due, and many enrolments run.
    running = aliased(Enrolment)
    wanted = select(running.id).where(
        running.id == Email.enrolment_id,
        unindexed(running.state) == EnrolmentState.ACTIVE,
        one_of(running.mode, "modes"),
        ~is_paused(running, bindparam("now", type_=UtcTime)),
    )
    return is_there(wanted.where(running.kind == kind) if kind else wanted)


def due(
    session: Session,
    now: datetime,
    modes: Collection[str],
    limit: int,
    *,
    untried: bool = False,
    kinds: Sequence[Kind] = FIRST_TO_LAST,
) -> list[Due]:
    """Return the emails that a claim at this time would win: transactional ones first, then the longest overdue.

    With `untried` only those never in a request: an email of a refused batch goes by itself. Looking for the few
    transactional ones reads everything that is due; without them no more is read than is returned.
    """
    found: list[Due] = []
    for kind in kinds:
        if (most := limit - len(found)) > 0:
            rows = _due(kind, untried).ask(session.connection(), now=now, modes=modes, most=most)
            found += sorted((Due(**row, kind=kind) for row in rows), key=attrgetter("due_at", "id"))
    return found


@cache
def _due(kind: Kind, untried: bool) -> Question:
    wanted = select(Email.id, Email.due_at).where(PLANNED, claimable(kind))
    if untried:
        wanted = wanted.where(Email.freezes == 0)
    # By the index's order alone: for any other everything that is due would be read.
    return Question(wanted.order_by(Email.due_at).limit(bindparam("most")))


def waits_alone(session: Session, email_id: UUID) -> bool:
    """Say whether an email is planned that was in a request before: what a batch was refused for goes by itself."""
    return session.scalar(_TRIED, {"email": email_id}) is not None


def load(session: Session, ids: Collection[UUID]) -> list[Email]:
    """Return emails with their enrolment and contact, fresh from the ledger, in a fixed order."""
    return list(session.scalars(_LOADED, {"ids": list(ids)}))


# Built once: every claim uses them.
_TRIED = select(Email.id).where(
    Email.id == bindparam("email"), unindexed(Email.state) == State.PLANNED, Email.freezes > 0
)
_LOADED = (
    select(Email)
    .where(one_of(Email.id, "ids"))
    .options(joinedload(Email.enrolment).joinedload(Enrolment.contact))
    .order_by(Email.id)
    .execution_options(populate_existing=True)
)


def move(session: Session, email: Email, new: State, at: datetime, reason: str | Reason | None = None) -> None:
    """Change an email's state, with the time, the reason and a timeline row.

    Raises IllegalTransition for a transition that the table of states does not allow.
    """
    check(State(email.state), new)
    email.state = new
    words, email.reason_code = reason if isinstance(reason, Reason) else (reason, None)
    email.reason = words
    setattr(email, f"{new}_at", at)
    if new in {State.PLANNED, State.HELD}:
        email.lease_token = email.lease_until = None
    enrolment = session.get_one(Enrolment, email.enrolment_id)
    enrolment.mirror_stale_since = at
    outbox.add(session.connection(), lead_events.moved(enrolment, email, new, at), at)
    known_as = email.resend_id if new in {State.SENT, State.PLANNED} else None
    row = {"kind": new, "at": at, "recorded_at": at, "detail": words, "resend_id": known_as}
    session.add(EmailEvent(email_id=email.id, **row))
    ids = {"email": str(email.id), "enrolment": str(email.enrolment_id)}
    log_after_commit(session, "email_moved", **ids, state=str(new), reason=words)


def abandoned(session: Session, now: datetime, limit: int) -> list[UUID]:
    """Return emails claimed by a process that died before they were in a request."""
    return list(session.scalars(_ABANDONED, {"now": now, "most": limit}))


def held(session: Session, now: datetime, modes: Collection[str], limit: int) -> list[UUID]:
    """Return held emails of running, unpaused enrolments that are due for a recheck."""
    return list(session.scalars(_HELD, {"now": now, "modes": list(modes), "most": limit}))


_NOW, _MOST = bindparam("now", type_=UtcTime), bindparam("most", type_=Integer)
_LOST = Email.state == State.SENDING, Email.request_id.is_(None), Email.lease_until < _NOW
_ABANDONED = select(Email.id).where(UNDER_WAY, *_LOST).limit(_MOST)
_HELD = (
    select(Email.id)
    .where(UNDER_WAY, Email.state == State.HELD, enrolment_runs())
    .where(or_(Email.next_attempt_at.is_(None), Email.next_attempt_at <= _NOW))
    .order_by(Email.due_at)
    .limit(_MOST)
)


def left_behind(session: Session, now: datetime, limit: int) -> list[UUID]:
    """Return emails of a refused batch that are planned and due though their enrolment was ended."""
    return list(session.scalars(_LEFT_BEHIND, {"now": now, "most": limit}))


_ENDED = select(Enrolment.id).where(
    Enrolment.id == Email.enrolment_id, unindexed(Enrolment.state) == EnrolmentState.EXITED
)
_LEFT_BEHIND = (
    select(Email.id)
    .where(PLANNED, Email.due_at <= _NOW, Email.freezes > 0, is_there(_ENDED))
    .order_by(Email.due_at)
    .limit(_MOST)
)


def sent_since(session: Session, now: datetime, limit: int) -> list[Email]:
    """Return emails of a restored ledger that may have gone out after its backup: due or in flight then."""
    waiting = and_(Email.state.in_([State.PLANNED, State.HELD]), Email.due_at <= now)
    return list(session.scalars(select(Email).where(or_(waiting, Email.state == State.SENDING)).limit(limit)))


def later_planned(session: Session, email: Email) -> list[Email]:
    """Return the planned steps of the same enrolment after this one."""
    later = Email.step > email.step, unindexed(Email.state) == State.PLANNED
    wanted = select(Email).where(Email.enrolment_id == email.enrolment_id, *later)
    return list(session.scalars(wanted.order_by(Email.step)))


def planned_between(session: Session, after: datetime, until: datetime, limit: int) -> list[Due]:
    """Return the planned emails due in a span, soonest first, for the clock."""
    rows = session.execute(_planned_between(), {"after": after, "until": until, "most": limit})
    return [Due(*row) for row in rows]


@cache
def _planned_between() -> Select[UUID, datetime, str]:
    own = aliased(Enrolment)
    theirs = own.id == Email.enrolment_id
    runs = is_there(select(own.id).where(theirs, unindexed(own.state) == EnrolmentState.ACTIVE))
    wanted = select(Email.id, Email.due_at, select(own.kind).where(theirs).scalar_subquery())
    wanted = wanted.where(PLANNED, Email.due_at > bindparam("after"), Email.due_at <= bindparam("until"), runs)
    return wanted.order_by(Email.due_at).limit(bindparam("most"))


def find_by_resend_id(session: Session, resend_id: str) -> UUID | None:
    """Return the id of the email with this Resend id; None if unknown."""
    return session.scalars(select(Email.id).where(Email.resend_id == resend_id).limit(1)).one_or_none()


def unconfirmed(session: Session, now: datetime, first_after: timedelta, limit: int) -> list[UUID]:
    """Return accepted emails without a report that are due to be asked about, oldest first."""
    return list(session.scalars(_UNHEARD_OF, {"until": now - first_after, "now": now, "most": limit}))


_UNHEARD_OF = (
    select(Email.id)
    .where(UNCONFIRMED, Email.resend_id.is_not(None), Email.sent_at <= bindparam("until"))
    .where(or_(Email.next_check_at.is_(None), Email.next_check_at <= _NOW))
    .order_by(Email.sent_at)
    .limit(_MOST)
)
