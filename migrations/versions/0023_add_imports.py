"""Add lists that came in by the console: what is wanted of each, how far it is, and the answer of each row."""

import sqlalchemy as sa
from alembic import op

from funnel_app.ledger.models.types import Json

revision = "0023_add_imports"
down_revision = "0022_add_replies"


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("operator", sa.String(60), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=True),
        sa.Column("wish", Json, nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.Text(), nullable=True),
    )
    op.create_table(
        "import_answers",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("import_id", sa.Uuid(), sa.ForeignKey("imports.id"), nullable=False),
        sa.Column("answers", Json, nullable=False),
    )
    op.create_index("ix_import_answers_import_id", "import_answers", ["import_id"])


def downgrade() -> None:
    op.drop_table("import_answers")
    op.drop_table("imports")
