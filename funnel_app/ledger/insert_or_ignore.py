"""Insert a row that another transaction may be inserting concurrently."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from funnel_app.ledger.models import Base


def insert_or_ignore(session: Session, model: type[Base], row: Mapping[str, Any], unique: Sequence[str] = ()) -> bool:
    """Insert a row unless one with the same unique columns exists; say whether it was inserted.

    Without columns, any unique index counts: a partial one cannot be named by its columns.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(model).values(**row).on_conflict_do_nothing(index_elements=list(unique) or None)
    return bool(session.execute(statement.returning(*model.__table__.primary_key)).all())
