"""Figures: the console's counts and measurements, each over an index, without canaries."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, case, func, select
from sqlalchemy.orm import Session

from funnel_app.campaigns.canary import CANARY
from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import State
from funnel_app.ledger.canaries import count_without
from funnel_app.ledger.counted_days import BETWEEN, NEXT, Day
from funnel_app.ledger.models import Contact, Email, Enrolment, EnrolmentState, HookEvent, Suppression
from funnel_app.ledger.suppressions import UNSUBSCRIBED
from funnel_app.rules.figures import STAGES, Did
from funnel_app.rules.states import HEARD

Counted = Sequence[tuple[str, State, int]]
ON_THE_WAY = [event for events in STAGES.values() for event in events]
# States after Resend accepted an email; others say nothing about delivery.
SUBMITTED = (State.SENT, State.DELAYED, State.DELIVERED, State.BOUNCED, State.COMPLAINED)


def by_template(session: Session, since: datetime) -> Counted:
    """Count the emails of each template due since a time, future ones included, by state."""
    counted = count_without(session, _BY_TEMPLATE, {"since": since})
    return [(key, State(state), count) for (key, state), count in counted.items()]


_BY_TEMPLATE = (
    select(Email.template_key, Email.state, func.count())
    .where(Email.due_at >= bindparam("since"))
    .group_by(Email.template_key, Email.state)
)


def enrolments(session: Session) -> Sequence[tuple[str, str, EnrolmentState, int]]:
    """Count the enrolments of each campaign's sequences by state."""
    columns = (Enrolment.campaign, Enrolment.sequence, Enrolment.state)
    rows = select(*columns, func.count()).where(Enrolment.sequence != CANARY).group_by(*columns)
    return [(campaign, name, EnrolmentState(state), count) for campaign, name, state, count in session.execute(rows)]


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
    # The numbers of the stages that a person's calls are of, one after the other: what is asked of each call once.
    stage = case(*((HookEvent.event.in_(each), str(i)) for i, each in enumerate(STAGES.values())))
    people = (
        select(func.aggregate_strings(stage, BETWEEN).label("did"))
        # A case hides what it asks from the planner: one look into the index a person, and never the one by campaign,
        # which has everybody of all years.
        .where(HookEvent.contact_id.in_(cohort), HookEvent.received_at <= until, case((heard, 1), else_=0) == 1)
        .group_by(HookEvent.contact_id)
        .having(first >= span[0], first < span[1])
        .subquery()
    )
    text = session.scalar(select(func.aggregate_strings(people.c.did, NEXT)))
    found: Counter[Did] = Counter()
    for did, number in Counter(text.split(NEXT) if text else ()).items():
        found[tuple(str(i) in did for i in range(len(STAGES)))] += number
    return found


def unsubscribed(session: Session, campaign: str | None, span: Day) -> int:
    """Count the addresses that unsubscribed in a span and stayed so; of a campaign, those among its leads."""
    rows = select(func.count()).select_from(Suppression).where(Suppression.source == UNSUBSCRIBED)
    rows = rows.where(Suppression.created_at >= span[0], Suppression.created_at < span[1])
    if campaign:
        theirs = select(Enrolment.id).join(Contact).where(Contact.email_norm == Suppression.email_norm)
        rows = rows.where(theirs.where(Enrolment.campaign == campaign).exists())
    return session.scalar(rows) or 0
