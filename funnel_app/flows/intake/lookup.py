"""Look up what the ledger knows of a calendar event."""

from datetime import datetime

from funnel_app.deps import Deps
from funnel_app.ledger import bookings


def call_at_of(deps: Deps, campaign: str, occurrence: str) -> datetime | None:
    """Return the start of a calendar event by its latest booking; None if there was none."""
    with deps.reads() as session:
        return bookings.find_call_at(session, campaign, occurrence)
