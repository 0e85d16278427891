"""Add what operators did, and the indexes that the console reads by."""

import sqlalchemy as sa
from alembic import op

revision = "0007_add_operator_actions"
down_revision = "0006_index_consent_ip"

TROUBLE = sa.text("state IN ('held', 'ambiguous', 'bounced', 'complained', 'failed', 'suppressed')")
PAUSED = sa.text("state = 'paused'")


def upgrade() -> None:
    op.create_table(
        "operator_actions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("operator", sa.String(length=60), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("enrolment_id", sa.Uuid(), nullable=True),
        sa.Column("email_id", sa.Uuid(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_actions")),
    )
    with op.batch_alter_table("operator_actions", schema=None) as batch_op:
        batch_op.create_index("ix_operator_actions_contact_id", ["contact_id"], unique=False)

    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_contacts_words", ["id", "email_norm", "first_name", "name", "business_name"], unique=False
        )

    with op.batch_alter_table("emails", schema=None) as batch_op:
        batch_op.create_index("ix_emails_figures", ["due_at", "state", "template_key", "delivered_at"], unique=False)
        batch_op.create_index(
            "ix_emails_trouble",
            ["state", "enrolment_id"],
            unique=False,
            sqlite_where=TROUBLE,
            postgresql_where=TROUBLE,
        )

    with op.batch_alter_table("enrolments", schema=None) as batch_op:
        batch_op.create_index(
            "ix_enrolments_paused",
            ["id"],
            unique=False,
            sqlite_where=PAUSED,
            postgresql_where=PAUSED,
        )
        batch_op.create_index("ix_enrolments_sequence_state", ["sequence", "state", "contact_id"], unique=False)

    with op.batch_alter_table("hook_events", schema=None) as batch_op:
        batch_op.create_index("ix_hook_events_cohort", ["event", "received_at", "contact_id"], unique=False)
        batch_op.create_index("ix_hook_events_outcome", ["outcome", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("hook_events", schema=None) as batch_op:
        batch_op.drop_index("ix_hook_events_outcome")
        batch_op.drop_index("ix_hook_events_cohort")

    with op.batch_alter_table("enrolments", schema=None) as batch_op:
        batch_op.drop_index("ix_enrolments_sequence_state")
        batch_op.drop_index(
            "ix_enrolments_paused",
            sqlite_where=PAUSED,
            postgresql_where=PAUSED,
        )

    with op.batch_alter_table("emails", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_emails_trouble",
            sqlite_where=TROUBLE,
            postgresql_where=TROUBLE,
        )
        batch_op.drop_index("ix_emails_figures")

    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.drop_index("ix_contacts_words")

    with op.batch_alter_table("operator_actions", schema=None) as batch_op:
        batch_op.drop_index("ix_operator_actions_contact_id")

    op.drop_table("operator_actions")
