"""The table of opens and clicks."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from funnel_app.ledger.models.base import Base, partial
from funnel_app.ledger.models.types import new_id

OF_BOOKING = "about = 'booking'"


class Engagement(Base):
    """One opening or click of an email that Resend reported; a figure, and never evidence of delivery."""

    __tablename__ = "engagements"
    __table_args__ = (
        Index("ix_engagements_email_id", "email_id"),
        Index("ix_engagements_at", "at"),
        partial("ix_engagements_booking", "at", where=OF_BOOKING),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email_id: Mapped[UUID] = mapped_column(ForeignKey("emails.id"))
    event_id: Mapped[str] = mapped_column(String(128), unique=True)
    clicked: Mapped[bool]
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(16))
    about: Mapped[str | None] = mapped_column(String(16))
    link: Mapped[str | None] = mapped_column(Text)
    ip: Mapped[str | None] = mapped_column(String(64))
    agent: Mapped[str | None] = mapped_column(String(255))
