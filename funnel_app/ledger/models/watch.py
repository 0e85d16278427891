"""The tables of the watch: incidents, pending notifications, and the heartbeat."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from funnel_app.ledger.models.base import Base, partial
from funnel_app.ledger.models.types import new_id

OPEN = text("ended_at IS NULL")


class Incident(Base):
    """One thing that is wrong, from its first sighting until it is over; `notified_at` is when it was reported."""

    __tablename__ = "incidents"
    __table_args__ = (
        Index("uq_incidents_open", "kind", "subject", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(128), default="")
    detail: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    notified_at: Mapped[datetime | None] = mapped_column("told_at")
    ended_at: Mapped[datetime | None]
    put_aside: Mapped[str | None] = mapped_column(Text)


class Notice(Base):
    """One notification for a chat: its key is unique, and whoever sends it holds it under a lease."""

    __tablename__ = "notices"
    __table_args__ = (partial("ix_notices_unsent", "channel", "created_at", where="sent_at IS NULL"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(String(160), unique=True)
    channel: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
    refused: Mapped[bool] = mapped_column(default=False, server_default=false())
    sent_at: Mapped[datetime | None]


class Heartbeat(Base):
    """The row that is written only to test whether it can be; its id is the ledger's own."""

    __tablename__ = "heartbeats"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    beat_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    damage: Mapped[str | None] = mapped_column(Text)
