"""Bodies: a cache of page contents, so that unedited pages are not read repeatedly."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from funnel_app.gateways.notion.blocks import OnPage
from funnel_app.gateways.notion.pages import Page

# Notion truncates the last edit to minutes: a page read within that minute may have been edited since.
SETTLED_AFTER = timedelta(minutes=2)
READ_AGAIN_AFTER = timedelta(minutes=10)


def utc_now() -> datetime:
    """Return the time, aware and UTC."""
    return datetime.now(UTC)


class Bodies:
    """The cached bodies of one process, each as of the last edit of its page."""

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._kept: dict[str, tuple[str, datetime, OnPage]] = {}

    def find(self, page: Page) -> OnPage | None:
        """Return the cached body of a page; None if it was edited since, or after ten minutes."""
        if page.id not in self._kept:
            return None
        last_edited, read_at, body = self._kept[page.id]
        fresh = self._now() - read_at < READ_AGAIN_AFTER
        return body if last_edited == page.last_edited and fresh else None

    def keep(self, page: Page, body: OnPage) -> None:
        """Cache a body just read, if the page's last edit is old enough."""
        edited_at = _moment(page.last_edited)
        if edited_at is not None and self._now() - edited_at >= SETTLED_AFTER:
            self._kept[page.id] = (page.last_edited, self._now(), body)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
