"""Add what the mirror in Notion needs to know: what it wrote last, what is stale, who writes now, and why not."""

import sqlalchemy as sa
from alembic import op

from funnel_app.ledger.models.types import Json

revision = "0003_add_mirror"
down_revision = "0002_add_calls_to_hooks"

TABLES = ("contacts", "enrolments")


def upgrade() -> None:
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mirror_stale_since", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("mirror_next_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("mirror_token", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("mirror_error", sa.Text(), nullable=True))
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("mirror_written", Json, nullable=True))
            batch_op.create_index(
                f"ix_{table}_mirror_stale",
                ["mirror_stale_since"],
                unique=False,
                sqlite_where=sa.text("mirror_stale_since IS NOT NULL"),
                postgresql_where=sa.text("mirror_stale_since IS NOT NULL"),
            )


def downgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_index(
                f"ix_{table}_mirror_stale",
                sqlite_where=sa.text("mirror_stale_since IS NOT NULL"),
                postgresql_where=sa.text("mirror_stale_since IS NOT NULL"),
            )
            batch_op.drop_column("mirror_written")
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        for column in ("mirror_error", "mirror_token", "mirror_next_at", "mirror_stale_since"):
            batch_op.drop_column(column)
