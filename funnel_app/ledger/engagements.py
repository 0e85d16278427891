"""Engagements: what readers did with what arrived, as Resend tells it; scanners' clicks are kept apart."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.states import CLICKED, SCANNED
from funnel_app.ledger.database.compiled import Insert
from funnel_app.ledger.models import Email, EmailEvent, Enrolment
from funnel_app.ledger.models.engagements import OF_BOOKING, Engagement
from funnel_app.ledger.models.types import new_id
from funnel_app.rules.emails.clicks import By

# A reader's clock, Resend's and ours differ, and an email may be sent before it is due.
EARLIER = timedelta(days=1)
_ENGAGEMENTS = Insert(Engagement.metadata.tables[Engagement.__tablename__])


def add(session: Session, row: Mapping[str, Any]) -> bool:
    """Keep what a reader did; False where this very thing is kept already."""
    blank = dict.fromkeys(("about", "link", "ip", "agent"))
    return _ENGAGEMENTS.once(session.connection(), {"id": new_id(), **blank, **row}, "event_id")


def clicks_between(session: Session, email_id: UUID, first: datetime, last: datetime) -> list[Engagement]:
    """Return an email's clicks in a span."""
    theirs = Engagement.email_id == email_id, Engagement.clicked, Engagement.at.between(first, last)
    return list(session.scalars(select(Engagement).where(*theirs)))


def mark_scanned(session: Session, told: Collection[str]) -> None:
    """Mark clicks as a program's by the ids of their events, in the timeline of their email too."""
    session.execute(update(Engagement).where(Engagement.event_id.in_(told)).values(by=By.SCANNER))
    known = EmailEvent.provider_event_id.in_(told), EmailEvent.kind == CLICKED
    session.execute(update(EmailEvent).where(*known).values(kind=SCANNED))


def by_template(session: Session, span: tuple[datetime, datetime]) -> dict[str, tuple[int, int]]:
    """Count the emails of each template due in a span that were opened, and that a person clicked in; no canaries."""
    # Asked in the columns and not in WHERE: what was opened is looked up in the emails, and not all emails in what was.
    due = Email.due_at >= span[0], Email.due_at < span[1]
    opened = func.count(func.distinct(Engagement.email_id)).filter(*due, ~Engagement.clicked)
    clicked = func.count(func.distinct(Engagement.email_id)).filter(
        *due, Engagement.clicked, Engagement.by == By.PERSON
    )
    rows = (
        select(Email.template_key, opened, clicked)
        .select_from(Engagement)
        .join(Email, Email.id == Engagement.email_id)
        .join(Enrolment, Enrolment.id == Email.enrolment_id)
        .where(Engagement.at >= span[0] - EARLIER, Enrolment.mode != Mode.CANARY)
        .group_by(Email.template_key)
    )
    return {key: (opens, clicks) for key, opens, clicks in session.execute(rows) if opens or clicks}


def of_contact(session: Session, contact_id: UUID) -> list[Engagement]:
    """Return all that a lead did with what arrived, oldest first."""
    rows = select(Engagement).join(Email).join(Enrolment, Enrolment.id == Email.enrolment_id)
    return list(session.scalars(rows.where(Enrolment.contact_id == contact_id).order_by(Engagement.at, Engagement.id)))


def looked_at_booking(session: Session, first: datetime, last: datetime) -> list[tuple[str, UUID, datetime]]:
    """Return who clicked a booking link in a span: campaign, lead and when first; tests and canaries are none."""
    rows = (
        select(Enrolment.campaign, Enrolment.contact_id, func.min(Engagement.at))
        .select_from(Engagement)
        .join(Email, Email.id == Engagement.email_id)
        .join(Enrolment, Enrolment.id == Email.enrolment_id)
        .where(text(OF_BOOKING), Engagement.by == By.PERSON, Engagement.at.between(first, last))
        .where(Enrolment.mode == Mode.LIVE)
        .group_by(Enrolment.campaign, Enrolment.contact_id)
    )
    return [(campaign, contact_id, at) for campaign, contact_id, at in session.execute(rows)]


def erase(session: Session, contact_id: UUID) -> None:
    """Delete all that a lead did with what arrived, and the links in the timeline."""
    theirs = select(Email.id).join(Enrolment, Enrolment.id == Email.enrolment_id)
    ids = theirs.where(Enrolment.contact_id == contact_id)
    session.execute(delete(Engagement).where(Engagement.email_id.in_(ids)))
    told = EmailEvent.email_id.in_(ids), EmailEvent.kind.in_([CLICKED, SCANNED])
    session.execute(update(EmailEvent).where(*told).values(detail=None))


def forget_who(session: Session, before: datetime, limit: int) -> int:
    """Forget from where and with what readers did things before a time; return of how many. Links stay."""
    known = or_(Engagement.ip.is_not(None), Engagement.agent.is_not(None))
    old = select(Engagement.id).where(Engagement.at < before, known).limit(limit)
    gone = update(Engagement).where(Engagement.id.in_(old)).values(ip=None, agent=None)
    return len(session.scalars(gone.returning(Engagement.id)).all())
