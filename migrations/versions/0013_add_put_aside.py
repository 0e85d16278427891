"""Add why a person put an incident aside."""

import sqlalchemy as sa
from alembic import op

revision = "0013_add_put_aside"
down_revision = "0012_add_heartbeats"


def upgrade() -> None:
    op.add_column("incidents", sa.Column("put_aside", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("incidents", "put_aside")
