"""Find refused calls by their time, and the enrolments of a call: the database asks for them before one is deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0015_index_refused"
down_revision = "0014_add_bookings"

REFUSED = sa.text("outcome = 'refused'")


def upgrade() -> None:
    op.create_index("ix_enrolments_hook_event_id", "enrolments", ["hook_event_id"])
    op.drop_index("ix_hook_events_refused", "hook_events")
    _index_refused("outcome", "received_at", "id")


def downgrade() -> None:
    op.drop_index("ix_hook_events_refused", "hook_events")
    _index_refused("received_at")
    op.drop_index("ix_enrolments_hook_event_id", "enrolments")


def _index_refused(*columns: str) -> None:
    op.create_index(
        "ix_hook_events_refused", "hook_events", list(columns), sqlite_where=REFUSED, postgresql_where=REFUSED
    )
