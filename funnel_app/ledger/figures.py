"""Figures: what the console counts and measures, each over an index, and without the canaries."""

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
# What Resend took: the rest was never handed over, and says nothing about delivery.
HANDED_OVER = (State.SENT, State.DELAYED, State.DELIVERED, State.BOUNCED, State.COMPLAINED)
Day = tuple[datetime, datetime]
# What stands between the parts of a word, and between words, in a text that is counted here.
BETWEEN, NEXT = "\t", "\n"


def by_template(session: Session, since: datetime) -> Counted:
    """Count the emails of each template that are due since a time, also those to come, by state."""
    rows = select(Email.template_key, Email.state, func.count()).where(Email.due_at >= since)
    counted = count_without(session, rows.group_by(Email.template_key, Email.state))
    return [(key, State(state), count) for (key, state), count in counted.items()]


def by_day(session: Session, days: Sequence[Day]) -> Sequence[tuple[int, str, State, int]]:
    """Count the emails by the day in which they are due (its place among the days), by template and by state."""
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
    """Count the emails of these templates (None: of all) that are due in a span and that Resend took, by state."""
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
    """Return how long delivered emails of these templates (None: of all) took from due to delivered, in seconds.

    They are rounded to tenths, the shortest first, each with how many took so long. Counted, and not sorted one by one,
    since there are many emails and few lengths.
    """
    tenths = cast(cast(func.round(_seconds(session) * 10), Integer), String)
    arrived = *_due(span, keys), Email.state == State.DELIVERED, Email.delivered_at.is_not(None)
    took = _tally(session.scalar(_as_text(tenths).where(*arrived)))
    took.subtract(session.scalars(select(tenths).where(*arrived, of_canary())))
    return sorted((int(each) / 10, count) for each, count in took.items() if count > 0)


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
    within = HookEvent.received_at >= span[0], HookEvent.received_at < span[1]
    cohort = select(HookEvent.contact_id).where(HookEvent.event.in_(ON_THE_WAY), *within)
    first = func.min(HookEvent.received_at)
    # One number says all that a person did: what is grouped by several columns is sorted by each.
    did = [func.max(case((HookEvent.event.in_(each), 1 << i), else_=0)) for i, each in enumerate(STAGES.values())]
    people = (
        select(reduce(add, did).label("did"))
        # A case hides what it asks from the planner: one look into the index a person, and never the one by campaign,
        # which has everybody of all years.
        .where(HookEvent.contact_id.in_(cohort), HookEvent.received_at <= until, case((heard, 1), else_=0) == 1)
        .group_by(HookEvent.contact_id)
        .having(first >= span[0], first < span[1])
        .subquery()
    )
    rows = session.execute(select(people.c.did, func.count()).group_by(people.c.did))
    return {tuple(bool(did >> i & 1) for i in range(len(STAGES))): number for did, number in rows}


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


def _due(span: Day, keys: Sequence[str] | None) -> list[ColumnElement[bool]]:
    within = [Email.due_at >= span[0], Email.due_at < span[1]]
    return within if keys is None else [*within, Email.template_key.in_(list(keys))]


def _as_text(word: ColumnElement[str]) -> Select[str | None]:
    """Ask for a word of each email as one text: SQLite sorts what it groups, which takes it twice as long."""
    return select(func.aggregate_strings(word, NEXT)).select_from(Email)


def _tally(text: str | None) -> Counter[str]:
    return Counter(text.split(NEXT) if text else ())
