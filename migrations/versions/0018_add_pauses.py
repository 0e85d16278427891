"""Add pauses of sending that a person made, and from where a person did what they did."""

import sqlalchemy as sa
from alembic import op

revision = "0018_add_pauses"
down_revision = "0017_index_way"

OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "pauses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("operator", sa.String(length=60), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pauses")),
    )
    op.create_index(
        "uq_pauses_open", "pauses", ["campaign", "sequence"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN
    )
    source = sa.Column("source", sa.String(length=16), server_default="console", nullable=False)
    op.add_column("operator_actions", source)


def downgrade() -> None:
    op.drop_column("operator_actions", "source")
    op.drop_index("uq_pauses_open", "pauses", sqlite_where=OPEN, postgresql_where=OPEN)
    op.drop_table("pauses")
