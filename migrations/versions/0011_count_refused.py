"""Count refused calls that are the same, and what those of a caller weigh, so that they do not grow without end."""

import sqlalchemy as sa
from alembic import op

revision = "0011_count_refused"
down_revision = "0010_add_callers"

REFUSED = sa.text("outcome = 'refused'")
INDEXES = {
    "ix_hook_events_refused_key": ["dedupe_key"],
    "ix_hook_events_refused_size": ["campaign", "hook", "source", "received_at", "size"],
}


def upgrade() -> None:
    op.add_column("hook_events", sa.Column("times", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("hook_events", sa.Column("size", sa.Integer(), nullable=True))
    for name, columns in INDEXES.items():
        op.create_index(name, "hook_events", columns, sqlite_where=REFUSED, postgresql_where=REFUSED)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "hook_events")
    for name in ("times", "size"):
        op.drop_column("hook_events", name)
