"""Look up what the ledger already knows of a calendar event."""

from datetime import datetime

from funnel_app.deps import Deps
from funnel_app.ledger import bookings


def call_at_of(deps: Deps, campaign: str, occurrence: str) -> datetime | None:
    """Return when the call of a calendar event is, as its booking said last; None where nobody told us."""
    with deps.reads() as session:
        return bookings.find_call_at(session, campaign, occurrence)
