"""Figures: what the console counts and measures, each over an index, and without the canaries."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, and_, case, cast, column, extract, func, select, values
from sqlalchemy.orm import Session

from funnel_app.campaigns.canary import CANARY
from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import State
from funnel_app.ledger.canaries import count_without, of_canary
from funnel_app.ledger.models import Contact, Email, Enrolment, EnrolmentState, HookEvent, Suppression
from funnel_app.ledger.suppressions import UNSUBSCRIBED
from funnel_app.ledger.types import UtcTime
from funnel_app.rules.figures import STAGES, Did
from funnel_app.rules.states import HEARD

Counted = Sequence[tuple[str, State, int]]
ON_THE_WAY = [event for events in STAGES.values() for event in events]
# What Resend took: the rest was never handed over, and says nothing about delivery.
HANDED_OVER = (State.SENT, State.DELAYED, State.DELIVERED, State.BOUNCED, State.COMPLAINED)
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


def handed_over(session: Session, span: Day, keys: Sequence[str] | None) -> dict[State, int]:
    """Count the emails of these templates (None: of all) that are due in a span and that Resend took, by state."""
    sums = [func.coalesce(func.sum(case((Email.state == state, 1), else_=0)), 0) for state in HANDED_OVER]
    rows = select(*sums).where(Email.due_at >= span[0], Email.due_at < span[1])
    rows = rows.where(Email.template_key.in_(list(keys))) if keys is not None else rows
    every, canaries = session.execute(rows).one(), session.execute(rows.where(of_canary())).one()
    return {state: all_ - theirs for state, all_, theirs in zip(HANDED_OVER, every, canaries, strict=True)}


def enrolments(session: Session) -> Sequence[tuple[str, str, EnrolmentState, int]]:
    """Count the enrolments of each campaign's sequences by state."""
    columns = (Enrolment.campaign, Enrolment.sequence, Enrolment.state)
    rows = select(*columns, func.count()).where(Enrolment.sequence != CANARY).group_by(*columns)
    return [(campaign, name, EnrolmentState(state), count) for campaign, name, state, count in session.execute(rows)]


def waits(session: Session, span: Day, keys: Sequence[str] | None) -> Sequence[tuple[float, int]]:
    """Return how long delivered emails of these templates (None: of all) took from due to delivered, in seconds.

    They are rounded to tenths, the shortest first, each with how many took so long. Counted, and not sorted one by one,
    since there are many emails and few lengths.
    """
    # As a whole number: SQLite sorts those by which it groups, and compares integers in half the time.
    took = cast(func.round(_seconds(session) * 10), Integer)
    rows = select(took, func.count()).where(
        Email.due_at >= span[0], Email.due_at < span[1], Email.state == State.DELIVERED, Email.delivered_at.is_not(None)
    )
    rows = rows.where(Email.template_key.in_(list(keys))) if keys is not None else rows
    counted = count_without(session, rows.group_by(took))
    return sorted((tenths / 10, count) for (tenths,), count in counted.items())


def went_on(session: Session, keys: Sequence[str], events: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return by template how many of its readers went on, by one of these events after it went, and how many there are.

    A reader is who got the email; canaries are none.
    """
    later = and_(Enrolment.exit_event.in_(list(events)), Enrolment.ended_at >= Email.sent_at)
    rows = (
        select(Email.template_key, func.coalesce(func.sum(case((later, 1), else_=0)), 0), func.count())
        .join(Enrolment, Enrolment.id == Email.enrolment_id)
        .where(Email.template_key.in_(list(keys)), Email.state.in_([State.DELIVERED, State.COMPLAINED]))
        .where(Enrolment.mode != Mode.CANARY)
        .group_by(Email.template_key)
    )
    return {key: (int(did), of) for key, did, of in session.execute(rows)}


def came(session: Session, campaign: str | None, span: Day, until: datetime) -> dict[Did, int]:
    """Count those who came first in a span, to a campaign or any, by which stages of the way each did by a time.

    Who was heard before the span is not among them.
    """
    of = HookEvent.campaign == campaign if campaign else HookEvent.campaign != CANARY
    heard = and_(HookEvent.event.in_(ON_THE_WAY), HookEvent.outcome.in_(HEARD), of)
    # Asked in the columns and not in WHERE: one look into the index a person, and never the one by campaign, which has
    # everybody of all years.
    first = func.min(case((heard, HookEvent.received_at)))
    did = [func.max(case((and_(heard, HookEvent.event.in_(each)), 1), else_=0)) for each in STAGES.values()]
    within = HookEvent.received_at >= span[0], HookEvent.received_at < span[1]
    cohort = select(HookEvent.contact_id).where(HookEvent.event.in_(ON_THE_WAY), *within).distinct()
    people = (
        select(*(each.label(f"did_{number}") for number, each in enumerate(did)))
        .where(HookEvent.contact_id.in_(cohort), HookEvent.received_at <= until)
        .group_by(HookEvent.contact_id)
        .having(first >= span[0], first < span[1])
        .subquery()
    )
    rows = select(*people.c, func.count()).group_by(*people.c)
    return {tuple(bool(each) for each in did): number for *did, number in session.execute(rows)}


def unsubscribed(session: Session, campaign: str | None, span: Day) -> int:
    """Count the addresses that unsubscribed in a span and did not come back; of a campaign, those among its leads."""
    rows = select(func.count()).select_from(Suppression).where(Suppression.source == UNSUBSCRIBED)
    rows = rows.where(Suppression.created_at >= span[0], Suppression.created_at < span[1])
    if campaign:
        theirs = select(Enrolment.id).join(Contact).where(Contact.email_norm == Suppression.email_norm)
        rows = rows.where(theirs.where(Enrolment.campaign == campaign).exists())
    return session.scalar(rows) or 0


def _seconds(session: Session) -> ColumnElement[Any]:
    if session.get_bind().dialect.name == "postgresql":
        return extract("epoch", Email.delivered_at - Email.due_at)
    return (func.julianday(Email.delivered_at) - func.julianday(Email.due_at)) * 86400.0
