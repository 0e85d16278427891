"""Add when a person chose a template's version to serve again."""

import sqlalchemy as sa
from alembic import op

revision = "0019_add_pinned"
down_revision = "0018_add_pauses"


def upgrade() -> None:
    op.add_column("template_versions", sa.Column("pinned_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("template_versions", "pinned_at")
