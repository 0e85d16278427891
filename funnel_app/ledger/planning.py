"""Planning: add emails to an enrolment, each with its first timeline row."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from funnel_app.campaigns.states import State
from funnel_app.ledger.models import Email, EmailEvent, Enrolment
from funnel_app.rules.facts import EmailFacts


def plan(session: Session, enrolment: Enrolment, planned: Iterable[EmailFacts], now: datetime) -> list[Email]:
    """Add new emails to an enrolment; return them."""
    return plan_each(session, [(enrolment, planned)], now)


def plan_each(
    session: Session, planned: Iterable[tuple[Enrolment, Iterable[EmailFacts]]], now: datetime
) -> list[Email]:
    """Add new emails to several enrolments in one go; return them."""
    new: list[Email] = []
    for enrolment, facts in planned:
        own = [_email(email, now) for email in facts]
        enrolment.emails.extend(own)
        session.add(enrolment)
        new += own
    session.flush()
    session.add_all(
        EmailEvent(email_id=email.id, kind=email.state, at=now, recorded_at=now, detail=email.reason) for email in new
    )
    return new


def _email(email: EmailFacts, now: datetime) -> Email:
    return Email(
        id=email.id,
        step=email.step,
        template_key=email.template_key,
        due_at=email.due_at,
        latest_at=email.latest_at,
        state=email.state,
        reason=email.reason,
        reason_code=email.reason_code,
        planned_at=now,
        skipped_at=now if email.state is State.SKIPPED else None,
    )
