"""What contacts and enrolments know of their rows in Notion."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

STALE = "mirror_stale_since IS NOT NULL"


class Mirrored:
    """What a row knows of its mirror in Notion: the page, since when it is behind, and what was written last."""

    notion_page_id: Mapped[str | None] = mapped_column(String(36))
    mirror_stale_since: Mapped[datetime | None]
    mirror_written: Mapped[dict[str, Any] | None]


class MirrorOwner(Mirrored):
    """What a person's row knows besides: until when nobody else writes their rows, who holds that lease, why it waits.

    Without a token the time is a wait after a failure.
    """

    mirror_next_at: Mapped[datetime | None]
    mirror_token: Mapped[UUID | None]
    mirror_error: Mapped[str | None] = mapped_column(Text)
