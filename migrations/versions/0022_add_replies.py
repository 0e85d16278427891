"""Add what people write back, and under which Message-ID each email went."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0022_add_replies"
down_revision = "0021_add_giving_way"

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
OPEN = sa.text("reading = 'waiting' OR forward = 'due'")
KNOWN = sa.text("message_id IS NOT NULL")
INDEXES = {
    "ix_received_emails_contact_id": ["contact_id"],
    "ix_received_emails_sender_received_at": ["sender", "received_at"],
    "ix_received_emails_received_at": ["received_at"],
}


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "received_emails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resend_id", sa.String(64), nullable=False),
        sa.Column("received_at", time, nullable=False),
        sa.Column("sender", sa.String(320), nullable=False),
        sa.Column("name", sa.String(120), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("attachments", JSON, nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("email_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(16), nullable=True),
        sa.Column("proof", sa.String(16), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("ended", JSON, nullable=False),
        sa.Column("reading", sa.String(16), nullable=False),
        sa.Column("forward", sa.String(16), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", time, nullable=True),
        sa.Column("lease_until", time, nullable=True),
        sa.Column("forwards", sa.Integer(), nullable=False),
        sa.Column("forward_tried_at", time, nullable=True),
        sa.Column("forwarded_at", time, nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_received_emails_contact_id")),
        sa.ForeignKeyConstraint(["email_id"], ["emails.id"], name=op.f("fk_received_emails_email_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received_emails")),
        sa.UniqueConstraint("resend_id", name=op.f("uq_received_emails_resend_id")),
    )
    op.create_index("ix_received_emails_open", "received_emails", ["id"], sqlite_where=OPEN, postgresql_where=OPEN)
    for name, columns in INDEXES.items():
        op.create_index(name, "received_emails", columns)
    op.add_column("emails", sa.Column("message_id", sa.String(255), nullable=True))
    op.create_index("ix_emails_message_id", "emails", ["message_id"], sqlite_where=KNOWN, postgresql_where=KNOWN)


def downgrade() -> None:
    op.drop_index("ix_emails_message_id", "emails", sqlite_where=KNOWN, postgresql_where=KNOWN)
    op.drop_column("emails", "message_id")
    op.drop_table("received_emails")
