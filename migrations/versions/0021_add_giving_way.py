"""Add when an email was due before it gave way to others of its reader, and when a person asked for it by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0021_add_giving_way"
down_revision = "0020_drop_calls_index"

COLUMNS = ("was_due_at", "asked_for_at")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("emails", sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("emails", name)
