"""Figures: the console's counts and measurements, each over an index, without canaries."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    column,
    extract,
    func,
    select,
    type_coerce,
    values,
)
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
# States after Resend accepted an email; others say nothing about delivery.
HANDED_OVER = (State.SENT, State.DELAYED, State.DELIVERED, State.BOUNCED, State.COMPLAINED)
Day = tuple[datetime, datetime]
# Separators within a packed text, and between packed texts.
BETWEEN, NEXT = "\t", "\n"


def by_template(session: Session, since: datetime) -> Counted:
    """Count the emails of each template due since a time, future ones included, by state."""
    rows = select(Email.template_key, Email.state, func.count()).where(Email.due_at >= since)
    counted = count_without(session, rows.group_by(Email.template_key, Email.state))
    return [(key, State(state), count) for (key, state), count in counted.items()]


def by_day(session: Session, days: Sequence[Day]) -> Sequence[tuple[int, str, State, int]]:
    """Count the emails by due day (its index), template and state."""
    drawn = values(column("day", Integer), column("start", UtcTime), column("next", UtcTime), name="days")
    each = drawn.data([(number, start, end) for number, (start, end) in enumerate(days)]).cte("days")
    within = Email.due_at >= each.c.start, Email.due_at < each.c.next
    words = _as_text(Email.template_key + BETWEEN + Email.state).where(*within).scalar_subquery()
    found = {day: _tally(text) for day, text in session.execute(select(each.c.day, words))}
    theirs = select(each.c.day, Email.template_key, Email.state).join(Email, and_(*within)).where(of_canary())
    for day, key, state in session.execute(theirs):
        found[day][key + BETWEEN + state] -= 1
    cells = ((day, *word.split(BETWEEN), count) for day, counts in found.items() for word, count in counts.items())
    return [(day, key, State(state), count) for day, key, state, count in cells if count > 0]


def handed_over(session: Session, span: Day, keys: Sequence[str] | None) -> dict[State, int]:
    """Count the accepted emails of these templates (None: all) due in a span, by state."""
    states = _as_text(type_coerce(Email.state, String)).where(*_due(span, keys))
    taken = _tally(session.scalar(states))
    taken.subtract(session.scalars(select(Email.state).where(*_due(span, keys), of_canary())))
    return {state: taken[state] for state in HANDED_OVER}


def enrolments(session: Session) -> Sequence[tuple[str, str, EnrolmentState, int]]:
    """Count the enrolments of each campaign's sequences by state."""
    columns = (Enrolment.campaign, Enrolment.sequence, Enrolment.state)
    rows = select(*columns, func.count()).where(Enrolment.sequence != CANARY).group_by(*columns)
    return [(campaign, name, EnrolmentState(state), count) for campaign, name, state, count in session.execute(rows)]


def waits(session: Session, span: Day, keys: Sequence[str] | None) -> Sequence[tuple[float, int]]:
    """Return how long emails of these templates (None: all) took from due to delivered, in seconds.

    Rounded to tenths, shortest first, each with its count: many emails share few durations.
    """
    tenths = cast(cast(func.round(_seconds(session) * 10), Integer), String)
    arrived = *_due(span, keys), Email.state == State.DELIVERED, Email.delivered_at.is_not(None)
    took = _tally(session.scalar(_as_text(tenths).where(*arrived)))
    took.subtract(session.scalars(select(tenths).where(*arrived, of_canary())))
    return sorted((int(each) / 10, count) for each, count in took.items() if count > 0)


def went_on(session: Session, keys: Sequence[str], events: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return by template how many readers had one of these events after it went, and how many readers there are.

    A reader is a recipient; canaries are excluded.
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
    """Count those who first came in a span, to a campaign or any, by the events each had by a time.

    People known before the span do not count.
    """
    of = HookEvent.campaign == campaign if campaign else HookEvent.campaign != CANARY
    heard = and_(HookEvent.event.in_(ON_THE_WAY), HookEvent.outcome.in_(HEARD), of)
    within = HookEvent.received_at >= span[0], HookEvent.received_at < span[1]
    cohort = select(HookEvent.contact_id).where(HookEvent.event.in_(ON_THE_WAY), *within)
    first = func.min(HookEvent.received_at)
    # One number encodes all of a person's events: grouping by several columns would sort by each.
    did = [func.max(case((HookEvent.event.in_(each), 1 << i), else_=0)) for i, each in enumerate(STAGES.values())]
    people = (
        select(reduce(add, did).label("did"))
        # The CASE keeps the planner from using the index by campaign, which has everybody of all years: one lookup a
        # person instead.
        .where(HookEvent.contact_id.in_(cohort), HookEvent.received_at <= until, case((heard, 1), else_=0) == 1)
        .group_by(HookEvent.contact_id)
        .having(first >= span[0], first < span[1])
        .subquery()
    )
    rows = session.execute(select(people.c.did, func.count()).group_by(people.c.did))
    return {tuple(bool(did >> i & 1) for i in range(len(STAGES))): number for did, number in rows}


def unsubscribed(session: Session, campaign: str | None, span: Day) -> int:
    """Count the addresses that unsubscribed in a span and stayed so; of a campaign, those among its leads."""
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


def _due(span: Day, keys: Sequence[str] | None) -> list[ColumnElement[bool]]:
    within = [Email.due_at >= span[0], Email.due_at < span[1]]
    return within if keys is None else [*within, Email.template_key.in_(list(keys))]


def _as_text(word: ColumnElement[str]) -> Select[str | None]:
    """Pack a row's values into one text: SQLite sorts groups, and several columns take twice as long."""
    return select(func.aggregate_strings(word, NEXT)).select_from(Email)


def _tally(text: str | None) -> Counter[str]:
    return Counter(text.split(NEXT) if text else ())
