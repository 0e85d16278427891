"""Email events: the timeline, as a query."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, bindparam, func, select, update
from sqlalchemy.orm import Session

from funnel_app.campaigns.states import State
from funnel_app.ledger.database.compiled import Question
from funnel_app.ledger.models import Email, EmailEvent
from funnel_app.ledger.models.base import one_of
from funnel_app.ledger.models.types import new_id
from funnel_app.ledger.writing import EVENTS, INSERTS

# Prefix of the ids of events that we asked for.
ASKED = "asked-"
_GIVEN_UP = Question(
    select(EVENTS.c.id).where(
        EVENTS.c.email_id == bindparam("email"),
        EVENTS.c.resend_id == bindparam("resend"),
        EVENTS.c.kind == State.PLANNED,
    )
)


def came_by_itself() -> ColumnElement[bool]:
    """Return the condition that an event came by the provider's webhook."""
    told = EmailEvent.provider_event_id
    return and_(told.is_not(None), ~told.startswith(ASKED))


def was_asked_for(event: EmailEvent) -> bool:
    """Say whether an event is the provider's answer to a query of ours."""
    return (event.provider_event_id or "").startswith(ASKED)


def add_report(connection: Connection, provider_event_id: str, row: Mapping[str, Any]) -> bool:
    """Store an event of the provider; False if it is already stored.

    `email_id` is the email that it was matched to, `claimed_id` the one that its tag names, whether known or not.
    """
    values = {"id": new_id(), "provider_event_id": provider_event_id, **row}
    return INSERTS[EVENTS].once(connection, values, "provider_event_id")


def is_known(session: Session, provider_event_id: str) -> bool:
    """Say whether an event of the provider is stored."""
    known = select(EmailEvent.id).where(EmailEvent.provider_event_id == provider_event_id)
    return session.scalars(known).one_or_none() is not None


def was_given_up(connection: Connection, email_id: UUID, resend_id: str) -> bool:
    """Say whether an operator had an email sent again after the try with this provider id."""
    return bool(_GIVEN_UP.ask(connection, email=email_id, resend=resend_id))


def add_copy(session: Session, email_id: UUID, resend_id: str | None, now: datetime) -> None:
    """Record that the provider accepted an email under one more id."""
    detail = f"Resend took it once more, as {resend_id}"
    session.add(EmailEvent(email_id=email_id, kind="copy", at=now, recorded_at=now, resend_id=resend_id, detail=detail))


def orphans_of_known(session: Session, since: datetime, limit: int) -> list[tuple[EmailEvent, UUID]]:
    """Return events since a time that arrived before their email was known, with that email."""
    rows = session.execute(_ORPHANS_OF_KNOWN, {"since": since, "most": limit})
    return [(event, email_id) for event, email_id in rows]


_SAME = (Email.resend_id == EmailEvent.resend_id) | (Email.id == EmailEvent.claimed_id)
_ORPHANS_OF_KNOWN = (
    select(EmailEvent, Email.id)
    .join(Email, _SAME)
    .where(EmailEvent.email_id.is_(None), EmailEvent.recorded_at >= bindparam("since"))
    .order_by(EmailEvent.at, EmailEvent.id)
    .limit(bindparam("most"))
)
_OF_EMAILS = select(EmailEvent).where(one_of(EmailEvent.email_id, "ids")).order_by(EmailEvent.at, EmailEvent.id)


def orphans_naming(session: Session, email_norm: str) -> list[UUID]:
    """Return events that match no email of ours and name an address: the website uses the same account."""
    named = func.lower(EmailEvent.detail).contains(email_norm, autoescape=True)
    return list(session.scalars(select(EmailEvent.id).where(EmailEvent.email_id.is_(None), named)))


def blank(session: Session, ids: Collection[UUID]) -> None:
    """Blank the texts of these events."""
    session.execute(update(EmailEvent).where(EmailEvent.id.in_(list(ids))).values(detail="erased"))


def of_emails(session: Session, email_ids: Collection[UUID]) -> dict[UUID, list[EmailEvent]]:
    """Return each email's events in time order."""
    timeline: dict[UUID, list[EmailEvent]] = {email_id: [] for email_id in email_ids}
    for event in session.scalars(_OF_EMAILS, {"ids": list(email_ids)}):
        if event.email_id is not None:
            timeline[event.email_id].append(event)
    return timeline


def add_manual(session: Session, email_id: UUID, detail: str, now: datetime) -> None:
    """Record an operator's action on an email that does not change its state."""
    session.add(EmailEvent(email_id=email_id, kind="by hand", at=now, recorded_at=now, detail=detail))
