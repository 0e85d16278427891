"""Notion: the templates that the owner writes. Funnel reads them, and writes only where one is missing or empty."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import httpx

from funnel_app.gateways.errors import Rejected
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

# These hold pages of their own, whose code is not this template's.
OTHER_PAGES = frozenset({"child_page", "child_database"})


class NotionTemplates:
    """The templates' database in Notion. Every call raises Unavailable or Rejected. Build one per process."""

    def __init__(
        self,
        token: str,
        templates_db_id: str,
        api_url: str | None = None,
        timeout_s: float = 10.0,
        transport: httpx.BaseTransport | None = None,
        names: TemplateNames = TemplateNames(),  # noqa: B008 (frozen)
        calls: NotionCalls | None = None,
    ) -> None:
        self._calls = calls or NotionCalls(token, api_url, timeout_s, transport)
        self._database_id = templates_db_id
        self._names = names
        self._bodies = Bodies()

    def find_templates(self, key: str, aliases: Sequence[str] = ()) -> list[Page]:
        """Return the pages named like the key; where there are none, those that match an alias glob in any case.

        More than one is for the caller to judge.
        """
        key = key.strip()
        by_key = {"property": self._names.title, "title": {"contains": key}}
        found = answering(self._pages(filter=by_key), key, ())
        if not found and aliases:
            found = answering(self._pages(), key, aliases)
        return [self.whole(page) for page in found]

    def list_templates(self) -> list[Page]:
        """Return all pages of the database, over all pages of the list; bodies from the property only."""
        return self._pages()

    def whole(self, page: Page) -> Page:
        """Return a listed page with its own code blocks as the body where the property has none.

        A page with a block that Notion refuses, such as one synced from a page that is not shared, is marked unread.
        """
        if page.html.strip():
            return page
        if (html := self._bodies.find(page)) is not None:
            return replace(page, html=html, in_property=False)
        try:
            blocks = list(self._blocks(page.id))
        except Rejected as refused:
            return replace(page, unread=refused.message)
        html = "\n".join(plain(block["code"].get("rich_text")) for block in blocks if block.get("type") == "code")
        if html.strip():
            self._bodies.keep(page, html)
        return replace(page, html=html, typed=any(_is_typed(block) for block in blocks), in_property=not html.strip())

    def create_template(self, key: str, subject: str, html: str, status: str | None = None) -> Page:
        """Write a new page; repeating makes a second one, so look for it first.

        The status is Notion's unless given; one that the database cannot take is left out.
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
        """Replace subject and body of a page, or the one that is given. Safe to repeat."""
        properties = self._texts(subject, html)
        page = self._calls.write(self._calls.client.pages.update, page_id, properties=properties)
        return to_page(page, self._names, html)

    def trash_page(self, page_id: str) -> None:
        """Move any page to the trash. Safe to repeat: one that is gone, or in the trash already, is as it should be."""
        try:
            self._calls.write(self._calls.client.pages.update, page_id, in_trash=True)
        except Rejected as refused:
            if refused.code != "object_not_found" and "archived" not in refused.message:
                raise

    def whoami(self) -> str:
        """Return the name of the integration that the token belongs to, with its workspace where it is said."""
        bot = self._calls.read(self._calls.client.users.me)
        workspace = (bot.get("bot") or {}).get("workspace_name")
        return f"{bot.get('name') or bot.get('id')}" + (f" ({workspace})" if workspace else "")

    def close(self) -> None:
        """Close the connection."""
        self._calls.close()

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
        # Notion makes an unknown option of a select, and refuses one of a status.
        known = any(option.get("name") == status for option in options)
        takes = kind == "select" or (kind == "status" and known)
        return {self._names.status: {kind: {"name": status}}} if takes else {}

    def _pages(self, **query: Any) -> list[Page]:
        pages = self._calls.read_all(self._calls.client.data_sources.query, self._data_source_id, **query)
        kept = (page for page in pages if not (page.get("in_trash") or page.get("archived")))
        return [to_page(page, self._names, self._body_property(page)) for page in kept]

    def _body_property(self, page: dict[str, Any]) -> str:
        if not may_be_cut(page, self._names.body):
            return property_text(page, self._names.body)
        retrieve = self._calls.client.pages.properties.retrieve
        items = self._calls.read_all(retrieve, page["id"], page["properties"][self._names.body]["id"])
        return plain([item.get("rich_text") or {} for item in items])

    def _blocks(self, block_id: str) -> Iterator[dict[str, Any]]:
        for block in self._calls.read_all(self._calls.client.blocks.children.list, block_id):
            yield block
            if block.get("type") != "code" and block.get("has_children") and block.get("type") not in OTHER_PAGES:
                yield from self._blocks(block["id"])

    def _texts(self, subject: str | None, html: str | None) -> dict[str, Any]:
        given = ((self._names.subject, subject, "The subject"), (self._names.body, html, "The body"))
        return {name: {"rich_text": rich_text(text, what)} for name, text, what in given if text is not None}


def _is_typed(block: dict[str, Any]) -> bool:
    """Tell whether somebody typed words into a block that is no code."""
    kind = str(block.get("type"))
    return kind != "code" and bool(plain((block.get(kind) or {}).get("rich_text")).strip())
