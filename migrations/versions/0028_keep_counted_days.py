"""Keep what the figures counted of past days, and forget a day as soon as any email of it comes, changes or goes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028_keep_counted_days"
down_revision = "0027_add_reason_codes"

FORGET = "DELETE FROM counted_days WHERE ends_at > {row}.due_at AND begins_at <= {row}.due_at;"
COUNTED = "template_key, due_at, state, delivered_at"
# By event: when it is, and which rows say of which days.
EVENTS = {
    "came": ("INSERT", ("NEW",)),
    "changed": (f"UPDATE OF {COUNTED}", ("OLD", "NEW")),
    "went": ("DELETE", ("OLD",)),
}


def upgrade() -> None:
    op.create_table(
        "counted_days",
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("ends_at", name=op.f("pk_counted_days")),
    )
    on_postgres = op.get_bind().dialect.name == "postgresql"
    for name, (event, rows) in EVENTS.items():
        body = " ".join(FORGET.format(row=row) for row in rows)
        (_on_postgres if on_postgres else _on_sqlite)(f"emails_{name}", event, body)


def _on_sqlite(name: str, event: str, body: str) -> None:
    op.execute(f"CREATE TRIGGER {name} AFTER {event} ON emails FOR EACH ROW BEGIN {body} END")


def _on_postgres(name: str, event: str, body: str) -> None:
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} RETURN NULL; END$$")
    op.execute(f"CREATE TRIGGER {name} AFTER {event} ON emails FOR EACH ROW EXECUTE FUNCTION {name}()")


def downgrade() -> None:
    on_postgres = op.get_bind().dialect.name == "postgresql"
    for name in EVENTS:
        op.execute(f"DROP TRIGGER emails_{name} ON emails" if on_postgres else f"DROP TRIGGER emails_{name}")
        if on_postgres:
            op.execute(f"DROP FUNCTION emails_{name}()")
    op.drop_table("counted_days")
