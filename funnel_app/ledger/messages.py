"""Messages: exactly what was or will be handed to Resend, frozen before the first try."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel_app.ledger.models import Message, Request


def add(session: Session, message: Message) -> None:
    """Freeze a message."""
    session.add(message)


def of_request(session: Session, request: Request) -> list[Message]:
    """Return the messages of a call in the order in which they are handed over."""
    rows = session.scalars(select(Message).where(Message.request_id == request.id))
    by_email = {str(message.email_id): message for message in rows}
    return [by_email[email_id] for email_id in request.email_ids]


def latest_of(session: Session, email_id: UUID) -> Message | None:
    """Return what was last frozen for an email; None where nothing was."""
    wanted = select(Message).where(Message.email_id == email_id).order_by(Message.freeze.desc()).limit(1)
    return session.scalars(wanted).one_or_none()
