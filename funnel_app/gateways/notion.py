"""Notion: the templates that the owner writes. Funnel reads them, and writes only where one is missing or empty."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import httpx

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.notion_calls import PROVIDER, NotionCalls
from funnel_app.gateways.notion_pages import (
    Page,
    TemplateNames,
    may_be_cut,
    plain,
    property_text,
    rich_text,
    to_page,
)

__all__ = ["Notebook", "Page", "TemplateNames"]

# These hold pages of their own, whose code is not this template's.
OTHER_PAGES = frozenset({"child_page", "child_database"})


class Notebook:
    """The templates' database in Notion. Every call raises Unavailable or Rejected. Build one per process."""

    def __init__(
        self,
        token: str,
        templates_db_id: str,
        api_url: str | None = None,
        timeout_s: float = 10.0,
        transport: httpx.BaseTransport | None = None,
        names: TemplateNames = TemplateNames(),  # noqa: B008 (frozen)
    ) -> None:
        self._calls = NotionCalls(token, api_url, timeout_s, transport)
        self._database_id = templates_db_id
        self._names = names

    def find_templates(self, key: str, aliases: Sequence[str] = ()) -> list[Page]:
        """Return the pages named like the key; where there are none, those that match an alias glob in any case.

        More than one is for the caller to judge.
        """
        key = key.strip()
        by_key = {"property": self._names.title, "title": {"contains": key}}
        exact = [page for page in self._query(filter=by_key) if self._name(page) == key]
        return [self._whole(page) for page in exact or self._by_alias(aliases)]

    def list_templates(self) -> list[Page]:
        """Return all pages of the database, over all pages of the list; bodies from the property only."""
        return [to_page(page, self._names, self._body_property(page)) for page in self._query()]

    def create_template(self, key: str, subject: str, html: str, status: str | None = None) -> Page:
        """Write a new page; repeating makes a second one, so look for it first. The status is Notion's unless given."""
        properties = {self._names.title: {"title": rich_text(key, "The name")}, **self._texts(subject, html)}
        if status is not None:
            properties[self._names.status] = {self._status_type: {"name": status}}
        parent = {"type": "data_source_id", "data_source_id": self._data_source_id}
        page = self._calls.write(self._calls.client.pages.create, parent=parent, properties=properties)
        return to_page(page, self._names, html)

    def fill_template(self, page_id: str, subject: str, html: str) -> Page:
        """Replace subject and body of a page. Safe to repeat."""
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
        """The table inside the database: the id in Notion's address bar is the database's, which cannot be queried."""
        database = self._calls.read(self._calls.client.databases.retrieve, self._database_id)
        sources = database.get("data_sources") or []
        if not sources:
            raise Rejected(PROVIDER, f"Database {self._database_id} has no data source.", code="no_data_source")
        return str(sources[0]["id"])

    @cached_property
    def _status_type(self) -> str:
        source = self._calls.read(self._calls.client.data_sources.retrieve, self._data_source_id)
        return str(((source.get("properties") or {}).get(self._names.status) or {}).get("type") or "select")

    def _query(self, **query: Any) -> Iterator[dict[str, Any]]:
        pages = self._calls.read_all(self._calls.client.data_sources.query, self._data_source_id, **query)
        return (page for page in pages if not (page.get("in_trash") or page.get("archived")))

    def _name(self, page: dict[str, Any]) -> str:
        return property_text(page, self._names.title).strip()

    def _by_alias(self, aliases: Sequence[str]) -> list[dict[str, Any]]:
        globs = [alias.strip().casefold() for alias in aliases]
        return [
            page
            for page in (self._query() if globs else ())
            if any(fnmatchcase(self._name(page).casefold(), glob) for glob in globs)
        ]

    def _whole(self, page: dict[str, Any]) -> Page:
        html = self._body_property(page)
        return to_page(page, self._names, html if html.strip() else "\n".join(self._code_blocks(page["id"])))

    def _body_property(self, page: dict[str, Any]) -> str:
        if not may_be_cut(page, self._names.body):
            return property_text(page, self._names.body)
        retrieve = self._calls.client.pages.properties.retrieve
        items = self._calls.read_all(retrieve, page["id"], page["properties"][self._names.body]["id"])
        return plain([item.get("rich_text") or {} for item in items])

    def _code_blocks(self, block_id: str) -> Iterator[str]:
        for block in self._calls.read_all(self._calls.client.blocks.children.list, block_id):
            if block.get("type") == "code":
                yield plain(block["code"].get("rich_text"))
            elif block.get("has_children") and block.get("type") not in OTHER_PAGES:
                yield from self._code_blocks(block["id"])

    def _texts(self, subject: str, html: str) -> dict[str, Any]:
        return {
            self._names.subject: {"rich_text": rich_text(subject, "The subject")},
            self._names.body: {"rich_text": rich_text(html, "The body")},
        }
