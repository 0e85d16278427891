"""Columns of contacts and enrolments about their Notion pages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

STALE = "mirror_stale_since IS NOT NULL"


class Mirrored:
    """A row's mirror in Notion: the page, since when it is outdated, and what was written last."""

    notion_page_id: Mapped[str | None] = mapped_column(String(36))
    mirror_stale_since: Mapped[datetime | None]
    mirror_written: Mapped[dict[str, Any] | None]


class MirrorOwner(Mirrored):
    """A contact's lease on mirroring: until when, its token, and the last error.

    Without a token the time is a delay after a failure.
    """

    mirror_next_at: Mapped[datetime | None]
    mirror_token: Mapped[UUID | None]
    mirror_error: Mapped[str | None] = mapped_column(Text)
