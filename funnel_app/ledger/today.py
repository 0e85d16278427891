"""Today: what the console's first page counts and lists, each by an index and none by a walk through history.

Canaries are not among it.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, contains_eager

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import State
from funnel_app.ledger.base import written
from funnel_app.ledger.canaries import count_without, of_canary
from funnel_app.ledger.emails import UNDER_WAY
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState

# The condition of a partial index, which must stand in a statement that wants to use it.
PLANNED = written(Email.state, State.PLANNED)


def states_due_between(session: Session, start: datetime, end: datetime) -> dict[State, int]:
    """Count the emails that are due in a span, by the state that they are in now."""
    counted = select(Email.state, func.count()).where(Email.due_at >= start, Email.due_at < end)
    return {State(state): count for (state,), count in count_without(session, counted.group_by(Email.state)).items()}


def held_by_reason(session: Session, limit: int) -> Sequence[tuple[str, str | None, int, datetime | None]]:
    """Return the held emails by template and reason: how many, and since when the first; the most first."""
    count = func.count()
    rows = (
        select(Email.template_key, Email.reason, count, func.min(Email.held_at))
        .where(UNDER_WAY, Email.state == State.HELD, ~of_canary())
        .group_by(Email.template_key, Email.reason)
        .order_by(count.desc())
        .limit(limit)
    )
    return [(key, reason, number, since) for key, reason, number, since in session.execute(rows)]


def ambiguous(session: Session, limit: int) -> list[Email]:
    """Return the emails of which nobody knows whether they went out, with whom they are for, oldest first."""
    rows = _with_contact().where(UNDER_WAY, Email.state == State.AMBIGUOUS).order_by(Email.ambiguous_at)
    return list(session.scalars(rows.limit(limit)))


def next_planned(session: Session, after: datetime, until: datetime, limit: int) -> list[Email]:
    """Return the emails that go next, with whom they are for, soonest first."""
    rows = _with_contact().where(
        PLANNED,
        Email.due_at >= after,
        Email.due_at < until,
        Enrolment.state == EnrolmentState.ACTIVE,
    )
    return list(session.scalars(rows.order_by(Email.due_at).limit(limit)))


def planned_times(session: Session, after: datetime, until: datetime) -> list[datetime]:
    """Return when each email of a span is planned to go."""
    rows = select(Email.due_at).where(PLANNED, Email.due_at >= after, Email.due_at < until, ~of_canary())
    return list(session.scalars(rows))


def paused(session: Session, limit: int) -> list[Enrolment]:
    """Return the enrolments that a person paused, with whose they are, oldest first."""
    rows = (
        select(Enrolment)
        .join(Enrolment.contact)
        .options(contains_eager(Enrolment.contact))
        .where(written(Enrolment.state, EnrolmentState.PAUSED), Enrolment.mode != Mode.CANARY)
    )
    return list(session.scalars(rows.order_by(Enrolment.id).limit(limit)))


def count_paused(session: Session) -> int:
    """Count the enrolments that a person paused."""
    wanted = written(Enrolment.state, EnrolmentState.PAUSED), Enrolment.mode != Mode.CANARY
    return session.scalar(select(func.count(Enrolment.id)).where(*wanted)) or 0


def _with_contact() -> Select[Email]:
    return (
        select(Email)
        .join(Email.enrolment)
        .join(Enrolment.contact)
        .options(contains_eager(Email.enrolment).contains_eager(Enrolment.contact))
        .where(Enrolment.mode != Mode.CANARY)
    )
