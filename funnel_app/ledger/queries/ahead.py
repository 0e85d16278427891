"""Ahead: which step each lead waits for, and how many emails go on which day; without canaries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    and_,
    case,
    column,
    false,
    func,
    or_,
    select,
    union_all,
    values,
)
from sqlalchemy.orm import Session, contains_eager

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import State
from funnel_app.ledger.emails import PLANNED, UNDER_WAY
from funnel_app.ledger.models import Contact, Email, Enrolment, EnrolmentState
from funnel_app.ledger.models.base import written
from funnel_app.ledger.models.types import UtcTime
from funnel_app.rules.states import RUNNING

# States in which a lead still waits for a step: Resend has not accepted its email yet.
STUCK = (State.HELD, State.AMBIGUOUS)


@dataclass(frozen=True)
class AtStep:
    """How many leads wait for an email, by its template and number: in all, and how many paused or stuck."""

    campaign: str
    sequence: str
    step: int
    key: str
    leads: int
    paused: int
    stuck: int


@dataclass(frozen=True)
class OfDay:
    """How many emails of a template are planned for a day (its index), and how many of them paused."""

    day: int
    campaign: str
    sequence: str
    key: str
    emails: int
    paused: int


def at_steps(session: Session) -> list[AtStep]:
    """Count leads by the email that they wait for; a step of an older plan may have another number."""
    where = (Enrolment.campaign, Enrolment.sequence, Email.step, Email.template_key)
    paused, stuck = Enrolment.state == EnrolmentState.PAUSED, Email.state.in_(STUCK)
    counted = (func.count(), func.sum(case((paused, 1), else_=0)), func.sum(case((stuck, 1), else_=0)))
    return [AtStep(*row) for row in session.execute(_next_emails(select(*where, *counted)).group_by(*where))]


def leads_at_step(session: Session, at: Sequence[AtStep], after: UUID | None, limit: int) -> list[Email]:
    """Return the waiting emails of the leads counted by `at_steps`, with their contacts, newest enrolment first."""
    rows = _next_emails(select(Email)).join(Contact, Contact.id == Enrolment.contact_id)
    rows = rows.where(or_(false(), *map(_is_at, at)))
    rows = rows.where(Enrolment.id < after) if after else rows
    whose = contains_eager(Email.enrolment).contains_eager(Enrolment.contact)
    return list(session.scalars(rows.options(whose).order_by(Enrolment.id.desc()).limit(limit)))


def _is_at(at: AtStep) -> ColumnElement[bool]:
    of = (Enrolment.campaign == at.campaign, Enrolment.sequence == at.sequence)
    return and_(*of, Email.step == at.step, Email.template_key == at.key)


def planned_by_day(session: Session, days: Sequence[tuple[datetime, datetime]]) -> list[OfDay]:
    """Count the planned emails of these spans, by index of the span, sequence and template."""
    drawn = values(column("day", Integer), column("start", UtcTime), column("next", UtcTime), name="ahead")
    each = drawn.data([(number, start, end) for number, (start, end) in enumerate(days)]).cte("ahead")
    by = (each.c.day, Enrolment.campaign, Enrolment.sequence, Email.template_key)
    paused = func.sum(case((Enrolment.state == EnrolmentState.PAUSED, 1), else_=0))
    rows = (
        select(*by, func.count(), paused)
        .join(Email, (Email.due_at >= each.c.start) & (Email.due_at < each.c.next))
        .join(Enrolment, Enrolment.id == Email.enrolment_id)
        .where(PLANNED, Enrolment.state.in_(RUNNING), Enrolment.mode != Mode.CANARY)
        .group_by(*by, Email.step)
        .order_by(each.c.day, Enrolment.campaign, Enrolment.sequence, Email.step)
    )
    return [OfDay(*row) for row in session.execute(rows)]


def _next_emails(rows: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Return these columns of each running enrolment's first email that Resend has not accepted."""
    first = _waiting().subquery()
    steps = select(first.c.enrolment_id, func.min(first.c.step).label("step")).group_by(first.c.enrolment_id).subquery()
    return (
        rows.select_from(Email)
        .join(steps, (steps.c.enrolment_id == Email.enrolment_id) & (steps.c.step == Email.step))
        .join(Enrolment, Enrolment.id == Email.enrolment_id)
        .where(written(Enrolment.state, *RUNNING), Enrolment.mode != Mode.CANARY)
    )


def _waiting() -> CompoundSelect[UUID, int]:
    # Each half uses its own partial index.
    columns = (Email.enrolment_id, Email.step)
    return union_all(select(*columns).where(PLANNED), select(*columns).where(UNDER_WAY))
