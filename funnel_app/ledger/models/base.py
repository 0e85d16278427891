"""Base: what all tables share, and the values of their columns."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Index, MetaData, Select, String, bindparam, exists, text
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

from funnel_app.ledger.models.types import Id, Json, UtcTime
from funnel_app.rules.states import EnrolmentState, Outcome

__all__ = [
    "Base", "EnrolmentState", "Outcome", "RequestState", "Scope", "is_there", "one_of", "partial", "unindexed",
    "written",
]  # fmt: skip

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The base of all tables: names of constraints, and column types."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcTime, UUID: Id, dict[str, Any]: Json, list[Any]: Json}  # noqa: RUF012


class RequestState(StrEnum):
    """State of a call to Resend: `unknown` may have gone out, `refused` certainly did not."""

    OPEN = "open"
    UNKNOWN = "unknown"
    ANSWERED = "answered"
    REFUSED = "refused"


class Scope(StrEnum):
    """Which mail an address no longer gets."""

    MARKETING = "marketing"
    ALL = "all"


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """Return a partial index, so that history costs nothing."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def written(column: InstrumentedAttribute[Any], *values: StrEnum) -> ColumnElement[bool]:
    """Return the condition that a column has one of these values, as literals in the statement.

    SQLite uses a partial index only if its condition is in the statement itself, not in the parameters.
    """
    words = [value.value for value in values]
    if len(words) == 1:
        return column == bindparam(None, words[0], String, literal_execute=True)
    return column.in_(bindparam(None, words, String, expanding=True, literal_execute=True))


def one_of(column: ColumnElement[Any] | InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that a column has one of the values that the statement gets by this name."""
    return column.in_(bindparam(name, expanding=True))


def unindexed(column: InstrumentedAttribute[Any] | ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column in a form that leads the database to no index, where another column leads to the few rows.

    PostgreSQL takes a table that it has no statistics of for nearly empty, and then prefers to read all of a partial
    index, once for each row.
    """
    return column.concat("")


def is_there(row: Select[Any]) -> ColumnElement[bool]:
    """Return the condition that a row exists, which is looked for by itself: PostgreSQL joins nothing with an OFFSET.

    Where it thinks that many rows are asked about, it would read whole tables for a join, though a few are wanted.
    """
    return exists(row.offset(0))
