"""Figures: what the console counts and measures, each over an index, and without the canaries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, column, extract, func, select, values
from sqlalchemy.orm import Session, aliased

from funnel_app.campaigns.canary import CANARY
from funnel_app.campaigns.states import State
from funnel_app.ledger.canaries import count_without, enrolments_of_canaries
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState, HookEvent
from funnel_app.ledger.types import UtcTime
from funnel_app.rules.states import HEARD

Counted = Sequence[tuple[str, State, int]]
Day = tuple[datetime, datetime]


def by_template(session: Session, since: datetime) -> Counted:
    """Count the emails of each template that are due since a time, also those to come, by state."""
    rows = select(Email.template_key, Email.state, func.count()).where(Email.due_at >= since)
    counted = count_without(session, rows.group_by(Email.template_key, Email.state))
    return [(key, State(state), count) for (key, state), count in counted.items()]


def by_day(session: Session, days: Sequence[Day]) -> Sequence[tuple[int, str, State, int]]:
    """Count the emails by the day in which they are due (its place among the days), by template and by state."""
    drawn = values(column("day", Integer), column("start", UtcTime), column("next", UtcTime), name="days")
    each = drawn.data([(number, start, end) for number, (start, end) in enumerate(days)]).cte("days")
    rows = (
        select(each.c.day, Email.template_key, Email.state, func.count())
        .join(Email, (Email.due_at >= each.c.start) & (Email.due_at < each.c.next))
        .group_by(each.c.day, Email.template_key, Email.state)
    )
    return [(day, key, State(state), count) for (day, key, state), count in count_without(session, rows).items()]


def enrolments(session: Session) -> Sequence[tuple[str, str, EnrolmentState, int]]:
    """Count the enrolments of each campaign's sequences by state."""
    columns = (Enrolment.campaign, Enrolment.sequence, Enrolment.state)
    rows = select(*columns, func.count()).where(Enrolment.sequence != CANARY).group_by(*columns)
    return [(campaign, name, EnrolmentState(state), count) for campaign, name, state, count in session.execute(rows)]


def waits(session: Session, span: Day) -> Sequence[tuple[float, int]]:
    """Return how long delivered emails of a span took from due to delivered, in tenths of seconds, with how many each.

    The shortest comes first. Counted, and not sorted one by one, since there are many emails and few lengths.
    """
    took = func.round(_seconds(session) * 10)
    rows = select(took, func.count()).where(
        Email.due_at >= span[0], Email.due_at < span[1], Email.state == State.DELIVERED, Email.delivered_at.is_not(None)
    )
    return sorted(
        (float(tenths) / 10, count) for (tenths,), count in count_without(session, rows.group_by(took)).items()
    )


def conversion(session: Session, starts: Sequence[str], goal: str, since: datetime) -> tuple[int, int]:
    """Return how many people did one of these things since a time, and how many of them ever did the other."""
    contacts_of_canaries = select(Enrolment.contact_id).where(Enrolment.id.in_(enrolments_of_canaries()))
    cohort = (
        select(HookEvent.contact_id)
        .where(HookEvent.event.in_(list(starts)), HookEvent.received_at >= since, HookEvent.contact_id.is_not(None))
        .where(HookEvent.contact_id.not_in(contacts_of_canaries))
        .distinct()
        .subquery()
    )
    goals = aliased(HookEvent)
    reached = (
        select(goals.id)
        .where(goals.contact_id == cohort.c.contact_id, goals.event == goal, goals.outcome.in_(HEARD))
        .exists()
    )
    came = session.scalar(select(func.count()).select_from(cohort)) or 0
    return came, session.scalar(select(func.count()).select_from(cohort).where(reached)) or 0


def _seconds(session: Session) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "postgresql":
        return extract("epoch", Email.delivered_at - Email.due_at)
    return (func.julianday(Email.delivered_at) - func.julianday(Email.due_at)) * 86400.0
