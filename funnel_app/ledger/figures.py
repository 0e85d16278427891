"""Figures: what the console counts and measures, each in one query over an index."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, extract, func, literal_column, select
from sqlalchemy.orm import Session, aliased

from funnel_app.campaigns.states import State
from funnel_app.ledger.hook_events import HEARD
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState, HookEvent

Counted = Sequence[tuple[str, State, int]]


def by_template(session: Session, span: tuple[datetime, datetime] | None = None) -> Counted:
    """Count the emails of each template by state, of all time or of those due in a span."""
    rows = select(Email.template_key, Email.state, func.count()).group_by(Email.template_key, Email.state)
    if span is not None:
        rows = rows.where(Email.due_at >= span[0], Email.due_at < span[1])
    return [(key, State(state), count) for key, state, count in session.execute(rows)]


def by_hour(session: Session, since: datetime, until: datetime) -> Sequence[tuple[str, State, int]]:
    """Count the emails of a span by the hour in which they are due, as `2026-11-24 13` in UTC, and by state."""
    hour = _hour(session)
    rows = (
        select(hour, Email.state, func.count())
        .where(Email.due_at >= since, Email.due_at < until)
        .group_by(literal_column("1"), Email.state)
    )
    return [(at, State(state), count) for at, state, count in session.execute(rows)]


def enrolments(session: Session) -> Sequence[tuple[str, EnrolmentState, int]]:
    """Count the enrolments of each sequence by state."""
    rows = select(Enrolment.sequence, Enrolment.state, func.count()).group_by(Enrolment.sequence, Enrolment.state)
    return [(sequence, EnrolmentState(state), count) for sequence, state, count in session.execute(rows)]


def waits(session: Session, since: datetime, percents: Sequence[int]) -> dict[int, float]:
    """Return the seconds from due to delivered that so many percent of emails due since a time did not exceed."""
    took = _seconds(session).label("took")
    ranked = (
        select(took, func.row_number().over(order_by=took).label("rank"), func.count().over().label("all"))
        .where(Email.due_at >= since, Email.state == State.DELIVERED, Email.delivered_at.is_not(None))
        .subquery()
    )
    ranks = {percent: (ranked.c["all"] * percent + 99) // 100 for percent in percents}
    rows = select(ranked.c.took, ranked.c.rank, ranked.c["all"]).where(ranked.c.rank.in_(list(ranks.values())))
    found = {rank: (float(seconds), number) for seconds, rank, number in session.execute(rows)}
    number = next(iter(found.values()), (0.0, 0))[1]
    wanted = {percent: (number * percent + 99) // 100 for percent in percents}
    return {percent: found[rank][0] for percent, rank in wanted.items() if rank in found}


def conversion(session: Session, starts: Sequence[str], goal: str, since: datetime) -> tuple[int, int]:
    """Return how many people did one of these things since a time, and how many of them ever did the other."""
    cohort = (
        select(HookEvent.contact_id)
        .where(HookEvent.event.in_(list(starts)), HookEvent.received_at >= since, HookEvent.contact_id.is_not(None))
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


def _hour(session: Session) -> ColumnElement[str]:
    if session.get_bind().dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", Email.due_at), "YYYY-MM-DD HH24")
    # SQLite keeps times as text, and the first letters are the hour.
    return func.substr(Email.due_at, 1, 13)


def _seconds(session: Session) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "postgresql":
        return extract("epoch", Email.delivered_at - Email.due_at)
    return (func.julianday(Email.delivered_at) - func.julianday(Email.due_at)) * 86400.0
