"""The tables of the outbox: pending events, and the state of each receiver."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from funnel_app.ledger.models.base import Base, partial
from funnel_app.ledger.models.types import new_id


class Standing(StrEnum):
    """State of an event at its receiver."""

    WAITING = "waiting"
    TAKEN = "taken"
    GIVEN_UP = "given_up"


class OutgoingEvent(Base):
    """One event of a lead, for one receiver. Ids are in the order in which a lead's events happened."""

    __tablename__ = "outgoing_events"
    __table_args__ = (
        partial("ix_outgoing_events_waiting", "receiver", "id", where="state = 'waiting'"),
        Index("ix_outgoing_events_settled_at", "settled_at"),
        Index("ix_outgoing_events_contact_id", "contact_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    event_id: Mapped[UUID]
    receiver: Mapped[str] = mapped_column(String(16))
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"))
    kind: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime]
    facts: Mapped[dict[str, Any]]
    state: Mapped[Standing] = mapped_column(String(16), default=Standing.WAITING)
    recorded_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    settled_at: Mapped[datetime | None]


class Receiver(Base):
    """One address that gets events, identified by a hash of it, since the address itself is a secret."""

    __tablename__ = "receivers"

    key: Mapped[str] = mapped_column(String(16), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    resting_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
