"""The tables of people, the calls about them, and their sequences."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from funnel_app.ledger.models.base import Base, EnrolmentState, Outcome, partial
from funnel_app.ledger.models.emails import Email
from funnel_app.ledger.models.mirror_columns import STALE, Mirrored, MirrorOwner
from funnel_app.ledger.models.types import new_id


class Contact(MirrorOwner, Base):
    """One person, known by the address."""

    __tablename__ = "contacts"
    __table_args__ = (
        partial("ix_contacts_mirror_stale", "mirror_stale_since", where="mirror_stale_since IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(320))
    email_norm: Mapped[str] = mapped_column(String(320), unique=True)
    first_name: Mapped[str | None] = mapped_column(String(60))
    name: Mapped[str | None] = mapped_column(String(120))
    business_name: Mapped[str | None] = mapped_column(String(120))
    properties: Mapped[dict[str, Any]] = mapped_column(default=dict)
    timezone: Mapped[str | None] = mapped_column(String(64))
    consent_at: Mapped[datetime | None]
    consent_text: Mapped[str | None] = mapped_column(Text)
    consent_source: Mapped[str | None] = mapped_column(String(255))
    consent_ip: Mapped[str | None] = mapped_column(String(64))
    unsubscribe_token: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class HookEvent(Base):
    """One call of an authenticated sender."""

    __tablename__ = "hook_events"
    __table_args__ = (
        partial("uq_hook_events_accepted", "dedupe_key", where="outcome = 'accepted'", unique=True),
        UniqueConstraint("idempotency_key"),
        Index("ix_hook_events_way", "contact_id", "event", "received_at", "campaign", "outcome"),
        # With the outcome first, SQLite does not use the index on outcome alone, which would scan all rows.
        partial("ix_hook_events_refused", "outcome", "received_at", "id", where="outcome = 'refused'"),
        partial("ix_hook_events_refused_key", "dedupe_key", where="outcome = 'refused'"),
        partial(
            "ix_hook_events_refused_size", "campaign", "hook", "source", "received_at", where="outcome = 'refused'"
        ),
        partial("ix_hook_events_caller", "caller", "received_at", where="caller IS NOT NULL"),
        partial("ix_hook_events_mailbox", "mailbox", "received_at", where="mailbox IS NOT NULL"),
        partial("ix_hook_events_whole", "campaign", "occurrence", where="whole IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    received_at: Mapped[datetime] = mapped_column(index=True)
    source: Mapped[str] = mapped_column(String(32))
    campaign: Mapped[str] = mapped_column(String(64))
    hook: Mapped[str] = mapped_column(String(32))
    handler: Mapped[str | None] = mapped_column(String(128))
    event: Mapped[str | None] = mapped_column(String(32))
    occurrence: Mapped[str | None] = mapped_column(String(255))
    happened_at: Mapped[datetime | None]
    call_at: Mapped[datetime | None]
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contacts.id"))
    caller: Mapped[str | None] = mapped_column(String(64))
    mailbox: Mapped[str | None] = mapped_column(String(320))
    dedupe_key: Mapped[str | None] = mapped_column(String(255))
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    outcome: Mapped[Outcome] = mapped_column(String(16))
    errors: Mapped[dict[str, Any] | None]
    answer_status: Mapped[int | None]
    answer: Mapped[dict[str, Any] | None]
    mode: Mapped[str] = mapped_column(String(8))
    times: Mapped[int] = mapped_column(default=1, server_default="1")
    size: Mapped[int | None]
    whole: Mapped[dict[str, Any] | None]


class Enrolment(Mirrored, Base):
    """One contact in one sequence."""

    __tablename__ = "enrolments"
    __table_args__ = (
        UniqueConstraint("contact_id", "campaign", "sequence", "occurrence", "run"),
        partial("ix_enrolments_active", "contact_id", where="state IN ('active', 'paused')"),
        # The database looks here before it deletes a call.
        Index("ix_enrolments_hook_event_id", "hook_event_id"),
        partial("ix_enrolments_unfinished", "campaign", "sequence", "id", where="state = 'active'"),
        partial("ix_enrolments_mirror_stale", "mirror_stale_since", where=STALE),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"))
    hook_event_id: Mapped[UUID | None] = mapped_column(ForeignKey("hook_events.id"))
    campaign: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[str] = mapped_column(String(64))
    occurrence: Mapped[str] = mapped_column(String(255), default="")
    run: Mapped[int] = mapped_column(default=1)
    mode: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(16))
    happened_at: Mapped[datetime | None]
    call_at: Mapped[datetime | None]
    anchor_at: Mapped[datetime]
    deadline: Mapped[date] = mapped_column(Date)
    plan: Mapped[str | None] = mapped_column(Text)
    plan_kept: Mapped[str | None] = mapped_column(String(16))
    state: Mapped[EnrolmentState] = mapped_column(String(16), default=EnrolmentState.ACTIVE)
    exit_event: Mapped[str | None] = mapped_column(String(32))
    exit_reason: Mapped[str | None] = mapped_column(Text)
    variables: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    contact: Mapped[Contact] = relationship(lazy="raise")
    emails: Mapped[list[Email]] = relationship(order_by="Email.step", lazy="raise", back_populates="enrolment")
