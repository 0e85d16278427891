"""Find the contacts of one IP address by an index: every signup that names its visitor's address counts them."""

import sqlalchemy as sa
from alembic import op

revision = "0006_index_consent_ip"
down_revision = "0005_add_incidents"


def upgrade() -> None:
    op.create_index(
        "ix_contacts_consent_ip",
        "contacts",
        ["consent_ip"],
        sqlite_where=sa.text("consent_ip IS NOT NULL"),
        postgresql_where=sa.text("consent_ip IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_contacts_consent_ip", "contacts")
