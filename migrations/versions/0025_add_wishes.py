"""Add what people wished in Notion and is not answered there yet."""

import sqlalchemy as sa
from alembic import op

revision = "0025_add_wishes"
down_revision = "0024_add_engagements"


def upgrade() -> None:
    op.create_table(
        "wishes",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("page_id", sa.String(36), nullable=False),
        sa.Column("property", sa.String(32), nullable=False),
        sa.Column("value", sa.String(100), nullable=False),
        sa.Column("who", sa.String(60), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.UniqueConstraint("page_id", "property", name="uq_wishes_page_id_property"),
    )


def downgrade() -> None:
    op.drop_table("wishes")
