"""Index emails by their call and by Resend's id only once they have one: an email that is planned has neither.

Each planned email had two entries that no question asks for, and lost them as it went.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029_index_calls_begun"
down_revision = "0028_keep_counted_days"

COLUMNS = ("request_id", "resend_id")


def upgrade() -> None:
    for column in COLUMNS:
        there = sa.text(f"{column} IS NOT NULL")
        op.drop_index(f"ix_emails_{column}", "emails")
        op.create_index(f"ix_emails_{column}", "emails", [column], sqlite_where=there, postgresql_where=there)


def downgrade() -> None:
    for column in COLUMNS:
        op.drop_index(f"ix_emails_{column}", "emails")
        op.create_index(f"ix_emails_{column}", "emails", [column])
