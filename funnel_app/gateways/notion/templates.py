"""Templates in Notion, written by the owner. Funnel writes only where one is missing or empty."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import httpx

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.notion.block_tree import blocks_below
from funnel_app.gateways.notion.blocks import OnPage, on_page, runs, styled
from funnel_app.gateways.notion.bodies import Bodies
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.notion.pages import (
    Page,
    TemplateNames,
    answering,
    may_be_cut,
    plain,
    property_text,
    rich_text,
    to_page,
)

__all__ = ["NotionTemplates", "Page", "TemplateNames"]


class NotionTemplates:
    """The templates' database. Every call raises Unavailable or Rejected. Create one per process."""

    def __init__(
        self,
        token: str,
        templates_db_id: str,
        api_url: str | None = None,
        transport: httpx.BaseTransport | None = None,
        names: TemplateNames = TemplateNames(),  # noqa: B008 (frozen)
        calls: NotionCalls | None = None,
    ) -> None:
        self._calls = calls or NotionCalls(token, api_url, transport=transport)
        self._database_id = templates_db_id
        self._names = names
        self._bodies = Bodies()

    def find_templates(self, key: str, aliases: Sequence[str] = ()) -> list[Page]:
        """Return the pages named like the key; without any, those that match an alias glob in any case.

        Several matches are the caller's to judge.
        """
        key = key.strip()
        by_key = {"property": self._names.title, "title": {"contains": key}}
        found = answering(self._pages(filter=by_key), key, ())
        if not found and aliases:
            found = answering(self._pages(), key, aliases)
        return [self.whole(page) for page in found]

    def list_templates(self) -> list[Page]:
        """Return all pages of the database; bodies from the property only."""
        return self._pages()

    def whole(self, page: Page) -> Page:
        """Return a listed page, with its blocks as the body if the property has none.

        A page with a block that Notion refuses, such as one synced from a page that is not shared, is marked unread.
        """
        if page.html.strip():
            return page
        try:
            found = self._on_page(page)
        except Rejected as refused:
            return replace(page, unread=refused.message, written=True)
        return replace(
            page,
            html=found.html,
            typed=found.typed,
            unclear=found.unclear,
            written=found.written,
            in_property=not found.written,
        )

    def beside(self, page: Page) -> str:
        """Return the words on a page beside the text in its property; empty if Notion refuses a block.

        They are no part of the letter. Pages that Funnel made and nobody edited are not asked for.
        """
        if not page.html.strip() or not page.in_property or page.made_by == self._own_id:
            return ""
        try:
            return self._on_page(page).words
        except Rejected:
            return ""

    def create_template(self, key: str, subject: str, html: str, status: str | None = None) -> Page:
        """Create a page; not idempotent, so look for it first.

        The status is Notion's default unless given; one that the database lacks is left out.
        """
        properties = {
            self._names.title: {"title": rich_text(key, "The name")},
            **self._texts(subject, html),
            **self._status(status),
        }
        parent = {"type": "data_source_id", "data_source_id": self._data_source_id}
        page = self._calls.write(self._calls.client.pages.create, parent=parent, properties=properties)
        return to_page(page, self._names, html)

    def fill_template(self, page_id: str, subject: str | None, html: str | None) -> Page:
        """Replace a page's subject and body. Safe to repeat."""
        properties = self._texts(subject, html)
        page = self._calls.write(self._calls.client.pages.update, page_id, properties=properties)
        return to_page(page, self._names, html)

    def trash_page(self, page_id: str) -> None:
        """Move a page to the trash. Safe to repeat, also for a page that is gone."""
        try:
            self._calls.write(self._calls.client.pages.update, page_id, in_trash=True)
        except Rejected as refused:
            if refused.code != "object_not_found" and "archived" not in refused.message:
                raise

    def whoami(self) -> str:
        """Return the name of the token's integration, with its workspace if known."""
        bot = self._calls.read(self._calls.client.users.me)
        workspace = (bot.get("bot") or {}).get("workspace_name")
        return f"{bot.get('name') or bot.get('id')}" + (f" ({workspace})" if workspace else "")

    def close(self) -> None:
        """Close the connection."""
        self._calls.close()

    @cached_property
    def _own_id(self) -> str:
        return str(self._calls.read(self._calls.client.users.me).get("id"))

    @cached_property
    def _data_source_id(self) -> str:
        return self._calls.find_source(self._database_id)

    @cached_property
    def _status_column(self) -> dict[str, Any]:
        source = self._calls.read(self._calls.client.data_sources.retrieve, self._data_source_id)
        return dict((source.get("properties") or {}).get(self._names.status) or {})

    def _status(self, status: str | None) -> dict[str, Any]:
        kind = self._status_column.get("type") if status is not None else None
        options = (self._status_column.get(str(kind)) or {}).get("options") or [] if kind else []
        # Notion creates an unknown option of a select, and refuses one of a status.
        known = any(option.get("name") == status for option in options)
        takes = kind == "select" or (kind == "status" and known)
        return {self._names.status: {kind: {"name": status}}} if takes else {}

    def _pages(self, **query: Any) -> list[Page]:
        pages = self._calls.read_all(self._calls.client.data_sources.query, self._data_source_id, **query)
        kept = (page for page in pages if not (page.get("in_trash") or page.get("archived")))
        return [self._listed(page) for page in kept]

    def _listed(self, page: dict[str, Any]) -> Page:
        items = self._body_items(page)
        found = to_page(page, self._names, property_text(page, self._names.body) if items is None else plain(items))
        if items is None or not styled(items):
            return found
        return replace(found, typed=({"type": "text", "runs": runs(items)},))

    def _body_items(self, page: dict[str, Any]) -> list[dict[str, Any]] | None:
        """Return the rich text of the body property; None if it is missing or of another type."""
        if not may_be_cut(page, self._names.body):
            found = (page.get("properties") or {}).get(self._names.body) or {}
            return found.get("rich_text")
        retrieve = self._calls.client.pages.properties.retrieve
        items = self._calls.read_all(retrieve, page["id"], page["properties"][self._names.body]["id"])
        return [item.get("rich_text") or {} for item in items]

    def _on_page(self, page: Page) -> OnPage:
        found = self._bodies.find(page)
        if found is None:
            found = on_page(blocks_below(self._calls, page.id))
            # An empty page is being written right now, unless its property has the letter.
            if found.html.strip() or found.typed or page.html.strip():
                self._bodies.keep(page, found)
        return found

    def _texts(self, subject: str | None, html: str | None) -> dict[str, Any]:
        given = ((self._names.subject, subject, "The subject"), (self._names.body, html, "The body"))
        return {name: {"rich_text": rich_text(text, what)} for name, text, what in given if text is not None}
