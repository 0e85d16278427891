"""Add what readers did with what arrived: openings and clicks."""

import sqlalchemy as sa
from alembic import op

revision = "0024_add_engagements"
down_revision = "0023_add_imports"

OF_BOOKING = sa.text("about = 'booking'")


def upgrade() -> None:
    op.create_table(
        "engagements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.String(128), nullable=False),
        sa.Column("clicked", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("about", sa.String(16), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("ip", sa.String(64), nullable=True),
        sa.Column("agent", sa.String(255), nullable=True),
        sa.ForeignKeyConstraint(["email_id"], ["emails.id"], name=op.f("fk_engagements_email_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagements")),
        sa.UniqueConstraint("event_id", name=op.f("uq_engagements_event_id")),
    )
    op.create_index("ix_engagements_email_id", "engagements", ["email_id"])
    op.create_index("ix_engagements_at", "engagements", ["at"])
    op.create_index(
        "ix_engagements_booking", "engagements", ["at"], sqlite_where=OF_BOOKING, postgresql_where=OF_BOOKING
    )


def downgrade() -> None:
    op.drop_table("engagements")
