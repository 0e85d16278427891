"""Tables: every one of the ledger, whatever else a process has imported; what is about all of them asks here.

A copy that knew only those tables which its process happens to use would leave out the others, and count as whole.
"""

# Each puts its tables or indexes into the metadata by being imported.
from funnel_app.ledger import (  # noqa: F401
    booking_models,
    console_indexes,
    counted_days,
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
