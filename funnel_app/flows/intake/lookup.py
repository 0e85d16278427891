"""Look up what the ledger knows of a calendar event."""

from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.ledger import bookings


def call_at_of(reads: sessionmaker[Session], campaign: str, occurrence: str) -> datetime | None:
    """Return the start of a calendar event by its latest booking; None if there was none."""
    with reads() as session:
        return bookings.find_call_at(session, campaign, occurrence)
