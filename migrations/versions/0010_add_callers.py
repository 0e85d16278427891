"""Note on each call from where its visitor came and for which mailbox: starts are counted by what was said then."""

import sqlalchemy as sa
from alembic import op

revision = "0010_add_callers"
down_revision = "0009_index_undelivered"

COLUMNS = {"caller": 64, "mailbox": 320}


def upgrade() -> None:
    for name, length in COLUMNS.items():
        op.add_column("hook_events", sa.Column(name, sa.String(length), nullable=True))
        there = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"ix_hook_events_{name}", "hook_events", [name, "received_at"], sqlite_where=there, postgresql_where=there
        )


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_index(f"ix_hook_events_{name}", "hook_events")
        op.drop_column("hook_events", name)
