"""Index enrolments by sequence and state with their campaign: counting them read every row, which is wide."""

from alembic import op

revision = "0030_index_campaign"
down_revision = "0029_index_calls_begun"

NAME, TABLE = "ix_enrolments_sequence_state", "enrolments"


def upgrade() -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, ["sequence", "state", "campaign", "contact_id"])


def downgrade() -> None:
    op.drop_index(NAME, TABLE)
    op.create_index(NAME, TABLE, ["sequence", "state", "contact_id"])
