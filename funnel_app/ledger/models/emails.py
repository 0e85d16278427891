"""The tables of an email: what it is now, each call to Resend, what was frozen, and what happened to it."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from funnel_app.campaigns.states import State
from funnel_app.ledger.models.base import Base, RequestState, partial
from funnel_app.ledger.models.types import Compressed, new_id

if TYPE_CHECKING:
    from funnel_app.ledger.models import Enrolment


class Email(Base):
    """One step of one enrolment, in exactly one state, with the time of each."""

    __tablename__ = "emails"
    __table_args__ = (
        UniqueConstraint("enrolment_id", "step"),
        partial("ix_emails_planned", "due_at", where="state = 'planned'"),
        partial("ix_emails_unsettled", "state", "lease_until", where="state IN ('sending', 'held', 'ambiguous')"),
        partial("ix_emails_unproven", "sent_at", where="state IN ('sent', 'delayed')"),
        partial("ix_emails_resend_id", "resend_id", where="resend_id IS NOT NULL"),
        partial("ix_emails_message_id", "message_id", where="message_id IS NOT NULL"),
        partial("ix_emails_request_id", "request_id", where="request_id IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    enrolment_id: Mapped[UUID] = mapped_column(ForeignKey("enrolments.id"))
    step: Mapped[int]
    template_key: Mapped[str] = mapped_column(String(128))
    due_at: Mapped[datetime]
    was_due_at: Mapped[datetime | None]
    asked_for_at: Mapped[datetime | None]
    latest_at: Mapped[datetime | None]
    state: Mapped[State] = mapped_column(String(16), default=State.PLANNED)
    reason: Mapped[str | None] = mapped_column(Text)
    reason_code: Mapped[str | None] = mapped_column(String(32))
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[UUID | None]
    freezes: Mapped[int] = mapped_column(default=0)
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("requests.id"))
    resend_id: Mapped[str | None] = mapped_column(String(64))
    message_id: Mapped[str | None] = mapped_column(String(255))
    checks: Mapped[int] = mapped_column(default=0, server_default="0")
    next_check_at: Mapped[datetime | None]
    planned_at: Mapped[datetime | None]
    sending_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    held_at: Mapped[datetime | None]
    ambiguous_at: Mapped[datetime | None]
    delayed_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    complained_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    skipped_at: Mapped[datetime | None]
    suppressed_at: Mapped[datetime | None]

    enrolment: Mapped["Enrolment"] = relationship(lazy="raise", back_populates="emails")


class Request(Base):
    """One call submitted to Resend: its key and its emails never change, so it can be repeated without harm."""

    __tablename__ = "requests"
    __table_args__ = (partial("ix_requests_unsettled", "next_attempt_at", where="state IN ('open', 'unknown')"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    idempotency_key: Mapped[str] = mapped_column(String(255), unique=True)
    email_ids: Mapped[list[Any]]
    state: Mapped[RequestState] = mapped_column(String(16), default=RequestState.OPEN)
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[UUID | None]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    first_tried_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None]
    unknown_since: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)


class Message(Base):
    """Exactly what one email is, frozen before the first try."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("email_id", "freeze"),
        partial("ix_messages_with_body", "created_at", where="html IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email_id: Mapped[UUID] = mapped_column(ForeignKey("emails.id"))
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), index=True)
    template_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("template_versions.id"))
    freeze: Mapped[int]
    sender: Mapped[str] = mapped_column(String(320))
    recipient: Mapped[str] = mapped_column(String(320))
    reply_to: Mapped[str | None] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Compressed)
    text: Mapped[str | None] = mapped_column(Compressed)
    headers: Mapped[dict[str, Any]]
    tags: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


UNDELIVERED = "kind IN ('bounced', 'complained', 'suppressed', 'failed')"


class EmailEvent(Base):
    """One event of an email, ours or reported; kept even if its email is not known yet."""

    __tablename__ = "email_events"
    __table_args__ = (
        Index("ix_email_events_email_id_resend_id", "email_id", "resend_id"),
        partial("ix_email_events_orphans", "recorded_at", where="email_id IS NULL"),
        partial("ix_email_events_undelivered", "recorded_at", where=UNDELIVERED),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email_id: Mapped[UUID | None] = mapped_column(ForeignKey("emails.id"))
    claimed_id: Mapped[UUID | None]
    provider_event_id: Mapped[str | None] = mapped_column(String(128), unique=True)
    resend_id: Mapped[str | None] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    detail: Mapped[str | None] = mapped_column(Text)
