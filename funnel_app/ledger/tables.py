"""Tables: all tables of the ledger, whatever a process has imported.

A backup with only the tables that its process happens to use would be incomplete and pass as whole.
"""

# Importing these registers their tables and indexes.
from funnel_app.ledger import counted_days, imports, operator_actions, pauses, wishes  # noqa: F401
from funnel_app.ledger.models import (  # noqa: F401
    bookings,
    console_indexes,
    emails,
    engagements,
    leads,
    outbox,
    received_emails,
    shared,
    watch,
)
from funnel_app.ledger.models.base import Base

METADATA = Base.metadata
