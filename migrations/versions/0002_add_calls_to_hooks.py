"""Add to hooks and enrolments which call they are of, and when they happened at their source."""

import sqlalchemy as sa
from alembic import op

revision = "0002_add_calls_to_hooks"
down_revision = "0001_create_ledger"


def upgrade() -> None:
    with op.batch_alter_table("enrolments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("call_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("exit_event", sa.String(length=32), nullable=True))

    with op.batch_alter_table("hook_events", schema=None) as batch_op:
        batch_op.add_column(sa.Column("occurrence", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("call_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_hook_events_refused",
            ["received_at"],
            unique=False,
            sqlite_where=sa.text("outcome = 'refused'"),
            postgresql_where=sa.text("outcome = 'refused'"),
        )


def downgrade() -> None:
    with op.batch_alter_table("hook_events", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_hook_events_refused",
            sqlite_where=sa.text("outcome = 'refused'"),
            postgresql_where=sa.text("outcome = 'refused'"),
        )
        batch_op.drop_column("call_at")
        batch_op.drop_column("happened_at")
        batch_op.drop_column("occurrence")

    with op.batch_alter_table("enrolments", schema=None) as batch_op:
        batch_op.drop_column("exit_event")
        batch_op.drop_column("call_at")
        batch_op.drop_column("happened_at")
