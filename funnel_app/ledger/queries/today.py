"""Today: the counts and lists of the console's first page, each by an index.

Without canaries.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select
from sqlalchemy.orm import Session, contains_eager

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import State
from funnel_app.ledger.canaries import count_without, of_canary
from funnel_app.ledger.emails import PLANNED, UNDER_WAY, waits_for_earlier
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState
from funnel_app.ledger.models.base import one_of, written
from funnel_app.ledger.pauses import is_paused
from funnel_app.ledger.queries.ahead import STUCK


def states_due_between(session: Session, start: datetime, end: datetime) -> dict[State, int]:
    """Count the emails due in a span by their present state."""
    counted = count_without(session, _DUE_BETWEEN, {"start": start, "end": end})
    return {State(state): count for (state,), count in counted.items()}


# Worded once, as all that the first page asks: wording takes longer than asking.
_DUE_BETWEEN = (
    select(Email.state, func.count())
    .where(Email.due_at >= bindparam("start"), Email.due_at < bindparam("end"))
    .group_by(Email.state)
)


def held_by_reason(session: Session, limit: int) -> Sequence[tuple[str, str | None, int, datetime | None]]:
    """Return the held emails by template and reason: how many, and since when; most first."""
    rows = session.execute(_HELD, {"most": limit})
    return [(key, reason, number, since) for key, reason, number, since in rows]


_HELD = (
    select(Email.template_key, Email.reason, func.count(), func.min(Email.held_at))
    .where(UNDER_WAY, Email.state == State.HELD, ~of_canary())
    .group_by(Email.template_key, Email.reason)
    .order_by(func.count().desc())
    .limit(bindparam("most"))
)


def ambiguous(session: Session, limit: int) -> list[Email]:
    """Return the ambiguous emails with their contacts, oldest first."""
    return list(session.scalars(_ambiguous(), {"most": limit}))


@cache
def _ambiguous() -> Select[Email]:
    rows = _with_contact().where(UNDER_WAY, Email.state == State.AMBIGUOUS)
    return rows.order_by(Email.ambiguous_at).limit(bindparam("most"))


@dataclass(frozen=True)
class Span:
    """When emails are due (up to any time where `until` is None), and of which modes they are."""

    after: datetime
    until: datetime | None
    modes: Collection[str]


def next_planned(session: Session, span: Span, limit: int) -> list[Email]:
    """Return the next emails that go, with their contacts, soonest first."""
    return list(session.scalars(_next_planned(span.until is not None), {**_given(span), "most": limit}))


def planned_times(session: Session, span: Span) -> list[datetime]:
    """Return the due times of the emails that `next_planned` lists for a span, of all of them."""
    wanted = select(Email.due_at).join(Email.enrolment).where(*_planned(span.until is not None), ~_waits())
    return list(session.scalars(wanted, _given(span)))


def count_next(session: Session, span: Span) -> int:
    """Count the emails that `next_planned` lists for a span, of each enrolment the first."""
    return _count(session, span, waits=False)


def count_waiting(session: Session, span: Span) -> int:
    """Count the emails that are planned for a span and do not go then: a pause or a stuck earlier step keeps them."""
    return _count(session, span, waits=True)


def paused(session: Session, limit: int) -> list[Enrolment]:
    """Return the paused enrolments with their contacts, oldest first."""
    rows = (
        select(Enrolment)
        .join(Enrolment.contact)
        .options(contains_eager(Enrolment.contact))
        .where(written(Enrolment.state, EnrolmentState.PAUSED), Enrolment.mode != Mode.CANARY)
    )
    return list(session.scalars(rows.order_by(Enrolment.id).limit(limit)))


def count_paused(session: Session) -> int:
    """Count the paused enrolments."""
    wanted = written(Enrolment.state, EnrolmentState.PAUSED), Enrolment.mode != Mode.CANARY
    return session.scalar(select(func.count(Enrolment.id)).where(*wanted)) or 0


def _count(session: Session, span: Span, *, waits: bool) -> int:
    return session.scalar(_counted(span.until is not None, waits), _given(span)) or 0


def _given(span: Span) -> dict[str, object]:
    modes = [mode for mode in span.modes if mode != Mode.CANARY]
    return {"after": span.after, "modes": modes, **({} if span.until is None else {"until": span.until})}


# Built once each, since building takes longer than asking: of any span, or of those that end.
@cache
def _next_planned(ends: bool) -> Select[Email]:
    return _with_contact().where(*_planned(ends), ~_waits()).order_by(Email.due_at).limit(bindparam("most"))


@cache
def _counted(ends: bool, waits: bool) -> Select[int]:
    which = (_waits(),) if waits else (~_waits(), ~waits_for_earlier())
    return select(func.count(Email.id)).join(Email.enrolment).where(*_planned(ends), *which)


@cache
def _planned(ends: bool) -> tuple[ColumnElement[bool], ...]:
    until = (Email.due_at < bindparam("until"),) if ends else ()
    active = Enrolment.state == EnrolmentState.ACTIVE, one_of(Enrolment.mode, "modes")
    return PLANNED, Email.due_at >= bindparam("after"), *until, *active


@cache
def _waits() -> ColumnElement[bool]:
    # A pause that is over by then keeps nothing.
    return or_(is_paused(Enrolment, Email.due_at), waits_for_earlier(STUCK))


def _with_contact() -> Select[Email]:
    return (
        select(Email)
        .join(Email.enrolment)
        .join(Enrolment.contact)
        .options(contains_eager(Email.enrolment).contains_eager(Enrolment.contact))
        .where(Enrolment.mode != Mode.CANARY)
    )
