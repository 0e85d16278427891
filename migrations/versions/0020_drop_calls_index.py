"""Drop two indexes: nothing asks by a visitor's address, and the other led SQLite through all calls of a kind.

Without figures of its own SQLite took it for what was heard of one person, and looked at everybody's;
`ix_hook_events_way` begins with the person.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020_drop_calls_index"
down_revision = "0019_add_pinned"

COLUMNS = ["campaign", "event", "mode", "outcome", "contact_id", "occurrence"]


def upgrade() -> None:
    op.drop_index("ix_hook_events_calls", "hook_events")
    op.drop_index("ix_contacts_consent_ip", "contacts")


def downgrade() -> None:
    known = sa.text("consent_ip IS NOT NULL")
    op.create_index("ix_contacts_consent_ip", "contacts", ["consent_ip"], sqlite_where=known, postgresql_where=known)
    op.create_index("ix_hook_events_calls", "hook_events", COLUMNS)
