"""Messages: exactly what was or will be submitted to Resend, frozen before the first try."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from funnel_app.ledger.database.compiled import Insert
from funnel_app.ledger.models import Email, Enrolment, Message, Request
from funnel_app.ledger.models.types import new_id

_FREEZE = Insert(Message.metadata.tables[Message.__tablename__])
# Worded once: they are asked for every call, and by every sweep.
_OF_REQUEST = select(Message).where(Message.request_id == bindparam("request"))
_WITH_BODY = (
    select(Message.id)
    .join(Email, Email.id == Message.email_id)
    .join(Enrolment, Enrolment.id == Email.enrolment_id)
    .where(Message.html.is_not(None), Message.created_at < bindparam("before"))
    .where(Enrolment.ended_at < bindparam("before"))
    .limit(bindparam("most"))
)


def add_all(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store frozen messages."""
    _FREEZE.into(session.connection(), [{"id": new_id(), **row} for row in rows])


def of_request(session: Session, request: Request) -> list[Message]:
    """Return the messages of a call in their order."""
    rows = session.scalars(_OF_REQUEST, {"request": request.id})
    by_email = {str(message.email_id): message for message in rows}
    return [by_email[email_id] for email_id in request.email_ids]


def latest_of(session: Session, email_id: UUID) -> Message | None:
    """Return the newest frozen message of an email; None if it was never frozen."""
    wanted = select(Message).where(Message.email_id == email_id).order_by(Message.freeze.desc()).limit(1)
    return session.scalars(wanted).one_or_none()


def latest_recipient(session: Session, email_id: UUID) -> str | None:
    """Return to whom an email was frozen last; None if it never was."""
    wanted = select(Message.recipient).where(Message.email_id == email_id).order_by(Message.freeze.desc()).limit(1)
    return session.scalars(wanted).one_or_none()


def with_body(session: Session, ended_before: datetime, limit: int) -> list[UUID]:
    """Return messages with a body whose enrolment ended before a time."""
    return list(session.scalars(_WITH_BODY, {"before": ended_before, "most": limit}))


def forget_bodies(session: Session, ids: list[UUID]) -> None:
    """Remove message bodies; recipient, subject, time and template version stay."""
    session.execute(update(Message).where(Message.id.in_(ids)).values(html=None, text=None))
