"""What all tables of the ledger share, and the words that their columns may hold."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Index, MetaData, String, bindparam, text
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

from funnel_app.ledger.types import Json, UtcTime
from funnel_app.rules.states import EnrolmentState, Outcome

__all__ = ["Base", "EnrolmentState", "Outcome", "RequestState", "Scope", "partial", "written"]

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """What all tables share: names of constraints, and how Python types are kept."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcTime, dict[str, Any]: Json, list[Any]: Json}  # noqa: RUF012


class RequestState(StrEnum):
    """Where a call to Resend stands: `unknown` may have gone out, `refused` certainly did not."""

    OPEN = "open"
    UNKNOWN = "unknown"
    ANSWERED = "answered"
    REFUSED = "refused"


class Scope(StrEnum):
    """What an address is no longer mailed."""

    MARKETING = "marketing"
    ALL = "all"


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Return an index over the rows that a condition holds for, so that history costs nothing."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def written(column: InstrumentedAttribute[Any], *values: StrEnum) -> ColumnElement[bool]:
    """Return the condition that a column has one of these values, written out in the statement.

    SQLite takes a partial index only where the index's own condition stands in the statement, not in its parameters.
    """
    words = [value.value for value in values]
    if len(words) == 1:
        return column == bindparam(None, words[0], String, literal_execute=True)
    return column.in_(bindparam(None, words, String, expanding=True, literal_execute=True))
