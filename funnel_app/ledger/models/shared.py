"""The tables without a contact: templates, and suppressed addresses."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from funnel_app.ledger.models.base import Base, Scope
from funnel_app.ledger.models.types import Compressed, new_id


class TemplateVersion(Base):
    """One text that Notion had under a key (or that it had none), and its validation result."""

    __tablename__ = "template_versions"
    __table_args__ = (
        UniqueConstraint("key", "hash"),
        Index("ix_template_versions_key_checked_at", "key", "checked_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[str] = mapped_column(String(128))
    page_id: Mapped[str | None] = mapped_column(String(36))
    hash: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Compressed)
    ready_html: Mapped[str | None] = mapped_column(Compressed)
    ready_text: Mapped[str | None] = mapped_column(Compressed)
    good: Mapped[bool]
    problems: Mapped[list[Any]]
    fetched_at: Mapped[datetime]
    since_at: Mapped[datetime]
    checked_at: Mapped[datetime]
    adopted_at: Mapped[datetime | None]
    pinned_at: Mapped[datetime | None]


class Suppression(Base):
    """An address not to be mailed; after erasure only its peppered hash is left."""

    __tablename__ = "suppressions"
    __table_args__ = (UniqueConstraint("address_hash", "scope"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email_norm: Mapped[str | None] = mapped_column(String(320), index=True)
    address_hash: Mapped[str] = mapped_column(String(64))
    scope: Mapped[Scope] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
