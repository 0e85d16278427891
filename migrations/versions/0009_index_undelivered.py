"""Find what ended badly a short while ago by an index: the watch asks for it every few seconds."""

import sqlalchemy as sa
from alembic import op

revision = "0009_index_undelivered"
down_revision = "0008_index_calls"

BAD = sa.text("kind IN ('bounced', 'complained', 'suppressed', 'failed')")


def upgrade() -> None:
    op.create_index(
        "ix_email_events_undelivered", "email_events", ["recorded_at"], sqlite_where=BAD, postgresql_where=BAD
    )


def downgrade() -> None:
    op.drop_index("ix_email_events_undelivered", "email_events")
