"""Alembic's entry: migrations run on the connection that funnel_app.ledger.database.schema hands in."""

from alembic import context
from sqlalchemy import JSON, DateTime, LargeBinary

from funnel_app.ledger.models.types import Compressed, UtcTime
from funnel_app.ledger.tables import METADATA


def render_item(kind, item, autogen_context):
    """Write plain types into migrations, so that an old one never depends on today's code."""
    if kind != "type":
        return False
    if isinstance(item, UtcTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, Compressed):
        return "sa.LargeBinary()"
    if isinstance(item, JSON):
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


def compare_type(context, inspected_column, metadata_column, inspected_type, metadata_type):
    """Own types are compared by what they are kept as."""
    if isinstance(metadata_type, UtcTime):
        return not isinstance(inspected_type, DateTime)
    if isinstance(metadata_type, Compressed):
        return not isinstance(inspected_type, LargeBinary)
    return None


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_item=render_item,
    compare_type=compare_type,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
