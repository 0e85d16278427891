"""Column types: aware UTC times and compressed texts."""

import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, DateTime, Dialect, LargeBinary, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from funnel_app.rules.ids import new_id

__all__ = ["Compressed", "Id", "Json", "UtcTime", "compressed", "new_id"]

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


# zlib's own takes and clears 256 KB for each text, a third of the time. Up to 16 KB the result is the same.
WINDOW, MEMORY = 14, 6


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time on every database; a naive one is rejected as ambiguous."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """Let SQLite have the text that SQLAlchemy's own type would make, in one step: a hook writes forty times."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Read what SQLite keeps in one step too."""
        return _of_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert an aware time to UTC; SQLite stores it without the offset."""
        if value is None:
            return None
        utc = _in_utc(value)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored time as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone: the ledger takes aware times only.")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _as_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    return _utc_text(value if value.tzinfo is UTC else _in_utc(value))


# A hook writes the same time in most columns. In another zone, two times that a clock change repeats would be one key.
@lru_cache(maxsize=256)
def _utc_text(value: datetime) -> str:
    # Its last six characters are the offset of UTC.
    return value.isoformat(" ", "microseconds")[:-6]


def _of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


class Id(Uuid[UUID]):
    """A UUID; the same ones are read again with each step of a batch, and made of their text once."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """Read what databases without UUIDs keep; None where the driver returns them."""
        is_text = super().result_processor(dialect, coltype) is not None  # type: ignore[no-untyped-call]
        return _id_of_text if is_text else None


def _id_of_text(text: str | None) -> UUID | None:
    return None if text is None else _made_of(text)


_made_of = lru_cache(4096)(UUID)


def compressed(text: str) -> bytes:
    """Return a text as the ledger keeps it. Whoever writes many compresses them before the turn to write."""
    packer = zlib.compressobj(wbits=WINDOW, memLevel=MEMORY)
    return packer.compress(text.encode()) + packer.flush()


class Compressed(TypeDecorator[str]):
    """A long text, stored compressed: bodies are most of the ledger's size."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | bytes | None, dialect: Dialect) -> bytes | None:
        """Compress what is not compressed yet."""
        return compressed(value) if isinstance(value, str) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Decompress."""
        return None if value is None else zlib.decompress(value).decode()
