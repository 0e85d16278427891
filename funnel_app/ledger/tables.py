"""Tables: all tables of the ledger, whatever a process has imported.

A backup with only the tables that its process happens to use would be incomplete and pass as whole.
"""

# Importing these registers their tables and indexes.
from funnel_app.ledger import (  # noqa: F401
    booking_models,
    console_indexes,
    counted_days,
    email_models,
    engagement_models,
    imports,
    models,
    operator_actions,
    outbox_models,
    pauses,
    received_models,
    shared_models,
    watch_models,
    wishes,
)
from funnel_app.ledger.base import Base

METADATA = Base.metadata
