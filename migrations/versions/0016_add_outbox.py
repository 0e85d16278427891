"""Add what is still to be told to receivers outside, and how each of them stands."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016_add_outbox"
down_revision = "0015_index_refused"

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "outgoing_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("receiver", sa.String(16), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", time, nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("recorded_at", time, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", time, nullable=True),
        sa.Column("lease_until", time, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("settled_at", time, nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_outgoing_events_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_events")),
    )
    op.create_index(
        op.f("ix_outgoing_events_waiting"),
        "outgoing_events",
        ["receiver", "id"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(op.f("ix_outgoing_events_settled_at"), "outgoing_events", ["settled_at"])
    op.create_index(op.f("ix_outgoing_events_contact_id"), "outgoing_events", ["contact_id", "id"])
    op.create_table(
        "receivers",
        sa.Column("key", sa.String(16), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", time, nullable=True),
        sa.Column("resting_until", time, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_receivers")),
    )


def downgrade() -> None:
    op.drop_table("receivers")
    op.drop_table("outgoing_events")
