"""The table of bookings in calendars."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from funnel_app.ledger.models.base import Base, partial
from funnel_app.ledger.models.types import new_id
from funnel_app.rules.calendar.bookings import BookingState

COUNTED = "state = 'booked'"


class Booking(Base):
    """One person's booking of a calendar event, with their places in it, by the newest word of each."""

    __tablename__ = "bookings"
    __table_args__ = (
        UniqueConstraint("contact_id", "campaign", "occurrence"),
        partial("ix_bookings_booked", "campaign", "mode", where=COUNTED),
        # Attendees of an event: one message may be about all of them.
        partial("ix_bookings_occurrence", "occurrence", "campaign", where="state <> 'series'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contacts.id"))
    campaign: Mapped[str] = mapped_column(String(64))
    occurrence: Mapped[str] = mapped_column(String(255))
    mode: Mapped[str] = mapped_column(String(8))
    call_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]
    series: Mapped[dict[str, Any] | None]
    places: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[BookingState] = mapped_column(String(16))
