"""Insert a row that another transaction may be inserting concurrently."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import CallableColumnDefault

from funnel_app.ledger.database.compiled import Insert
from funnel_app.ledger.models import Base


def insert_or_ignore(session: Session, model: type[Base], row: Mapping[str, Any], unique: Sequence[str] = ()) -> bool:
    """Insert a row unless one with the same unique columns exists; say whether it was inserted.

    Without columns, any unique index counts: a partial one cannot be named by its columns.
    """
    session.flush()
    insert, makes = _into(model)
    made = {name: make(None) for name, make in makes.items() if name not in row}
    return insert.once(session.connection(), {**made, **row}, *unique)


@cache
def _into(model: type[Base]) -> tuple[Insert, Mapping[str, Callable[[Any], Any]]]:
    """Return what inserts into a table, and what makes the values of each row that it does not name, such as its id.

    SQLAlchemy's own insert with ON CONFLICT is compiled at each call.
    """
    table = model.metadata.tables[model.__tablename__]
    makes = {each.name: each.default.arg for each in table.c if isinstance(each.default, CallableColumnDefault)}
    return Insert(table), makes
