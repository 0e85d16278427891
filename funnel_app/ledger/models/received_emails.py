"""The table of received emails."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from funnel_app.ledger.models.base import Base, partial
from funnel_app.ledger.models.types import Compressed, new_id


class Reading(StrEnum):
    """Whether an incoming email was read: its webhook only says that it arrived."""

    WAITING = "waiting"
    READ = "read"
    UNREAD = "unread"  # Resend did not give it out: only what its webhook told is known


class Forward(StrEnum):
    """What becomes of an incoming email on its way to REPLY_FORWARD_TO."""

    NONE = "none"
    DUE = "due"
    SENT = "sent"
    KEPT = "kept"  # a cap or testing mode keeps it here
    REFUSED = "refused"
    UNSURE = "unsure"  # it may have gone out, and is not sent again


OPEN = "reading = 'waiting' OR forward = 'due'"


class ReceivedEmail(Base):
    """One email that people wrote to us, as Resend received it; `contact_id` is its lead."""

    __tablename__ = "received_emails"
    __table_args__ = (
        partial("ix_received_emails_open", "id", where=OPEN),
        Index("ix_received_emails_contact_id", "contact_id"),
        Index("ix_received_emails_sender_received_at", "sender", "received_at"),
        Index("ix_received_emails_received_at", "received_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    resend_id: Mapped[str] = mapped_column(String(64), unique=True)
    received_at: Mapped[datetime]
    sender: Mapped[str] = mapped_column(String(320))
    name: Mapped[str | None] = mapped_column(String(120))
    subject: Mapped[str] = mapped_column(Text)
    attachments: Mapped[list[Any]] = mapped_column(default=list)
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contacts.id"))
    email_id: Mapped[UUID | None] = mapped_column(ForeignKey("emails.id"))
    kind: Mapped[str | None] = mapped_column(String(16))
    proof: Mapped[str | None] = mapped_column(String(16))
    text: Mapped[str | None] = mapped_column(Compressed)
    ended: Mapped[list[Any]] = mapped_column(default=list)
    reading: Mapped[Reading] = mapped_column(String(16), default=Reading.WAITING)
    forward: Mapped[Forward] = mapped_column(String(16), default=Forward.NONE)
    note: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    forwards: Mapped[int] = mapped_column(default=0)
    forward_tried_at: Mapped[datetime | None]
    forwarded_at: Mapped[datetime | None]


def is_open() -> Any:
    """Return the condition that an email still needs processing, as in its index."""
    return text(f"({OPEN})")
