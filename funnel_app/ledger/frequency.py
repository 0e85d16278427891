"""Frequency: one person's live marketing emails across sequences and campaigns, sent and waiting."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session, contains_eager

from funnel_app.campaigns.model import Kind, Mode
from funnel_app.campaigns.reasons import ReasonCode
from funnel_app.campaigns.states import State
from funnel_app.ledger.emails import claimable
from funnel_app.ledger.models import Email, Enrolment
from funnel_app.rules.emails.frequency import Went

# Emails that reached the reader, or may have.
WENT = (State.SENT, State.DELAYED, State.DELIVERED, State.COMPLAINED, State.AMBIGUOUS)


def went_to(session: Session, contact_id: UUID, now: datetime, but: Collection[UUID]) -> list[Went]:
    """Return all marketing emails that went to a person, except these; those in flight count as going now.

    Emails sent by the website are included.
    """
    by_website = and_(Email.state == State.SKIPPED, Email.reason_code == ReasonCode.SENT_BY_WEBSITE)
    gone = or_(Email.state.in_([State.SENDING, *WENT]), by_website)
    found = session.scalars(_marketing_to(contact_id).where(gone, Email.id.not_in(list(but))))
    return [Went(email.template_key, _went_at(email, now)) for email in found]


def waiting_for(session: Session, contact_id: UUID, until: datetime, modes: Collection[str]) -> list[Email]:
    """Return the person's emails that may be claimed by then, with their enrolments."""
    wanted = _marketing_to(contact_id).where(claimable())
    return list(session.scalars(wanted, {"now": until, "modes": list(modes)}))


def _marketing_to(contact_id: UUID) -> Select[Email]:
    theirs: tuple[ColumnElement[bool], ...] = (
        Enrolment.contact_id == contact_id,
        Enrolment.kind == Kind.MARKETING,
        Enrolment.mode == Mode.LIVE,
    )
    return select(Email).join(Email.enrolment).where(*theirs).options(contains_eager(Email.enrolment))


def _went_at(email: Email, now: datetime) -> datetime:
    if email.state == State.SENDING:
        return now
    if email.state == State.SKIPPED:
        return email.enrolment.anchor_at
    at: datetime | None = email.sent_at or email.sending_at or getattr(email, f"{email.state}_at")
    return at or now
