"""Tell how far somebody came by an index alone: the figures ask it of everybody who came in two spans of days."""

from alembic import op

revision = "0017_index_way"
down_revision = "0016_add_outbox"


def upgrade() -> None:
    op.create_index("ix_hook_events_way", "hook_events", ["contact_id", "event", "received_at", "campaign", "outcome"])
    # The new one begins with both its columns.
    op.drop_index("ix_hook_events_contact_id_event", "hook_events")


def downgrade() -> None:
    op.create_index("ix_hook_events_contact_id_event", "hook_events", ["contact_id", "event"])
    op.drop_index("ix_hook_events_way", "hook_events")
