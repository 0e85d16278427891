"""Add what proof needs: when an email is asked after, whose an event claims to be, and indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0004_add_proof"
down_revision = "0003_add_mirror"

PARTIAL = (
    ("ix_email_events_orphans", "email_events", ["recorded_at"], "email_id IS NULL"),
    ("ix_enrolments_unfinished", "enrolments", ["campaign", "sequence", "id"], "state = 'active'"),
    ("ix_messages_with_body", "messages", ["created_at"], "html IS NOT NULL"),
)


def upgrade() -> None:
    with op.batch_alter_table("emails", schema=None) as batch_op:
        batch_op.add_column(sa.Column("checks", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("email_events", schema=None) as batch_op:
        batch_op.add_column(sa.Column("claimed_id", sa.Uuid(), nullable=True))
        batch_op.drop_index("ix_email_events_email_id")
        batch_op.create_index("ix_email_events_email_id_resend_id", ["email_id", "resend_id"], unique=False)

    for name, table, columns, where in PARTIAL:
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def downgrade() -> None:
    for name, table, _, _ in reversed(PARTIAL):
        op.drop_index(name, table_name=table)

    with op.batch_alter_table("email_events", schema=None) as batch_op:
        batch_op.drop_index("ix_email_events_email_id_resend_id")
        batch_op.create_index("ix_email_events_email_id", ["email_id"], unique=False)
        batch_op.drop_column("claimed_id")

    with op.batch_alter_table("emails", schema=None) as batch_op:
        batch_op.drop_column("next_check_at")
        batch_op.drop_column("checks")
