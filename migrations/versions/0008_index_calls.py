"""Count a campaign's calls by an index alone: every letter says how many places are left."""

from alembic import op

revision = "0008_index_calls"
down_revision = "0007_add_operator_actions"

COLUMNS = ["campaign", "event", "mode", "outcome", "contact_id", "occurrence"]


def upgrade() -> None:
    op.create_index("ix_hook_events_calls", "hook_events", COLUMNS)


def downgrade() -> None:
    op.drop_index("ix_hook_events_calls", "hook_events")
