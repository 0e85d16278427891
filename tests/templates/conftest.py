"""The templates database of the stand-in for Notion over real HTTP, as its owner and as Funnel see it."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import notion_client
import pytest
from sqlalchemy import Engine

from funnel_app.deps import Deps
from funnel_app.gateways.notion.budget import NotionBudget
from funnel_app.gateways.notion.client import TRUST, NotionCalls
from funnel_app.gateways.notion.templates import NotionTemplates
from sandbox.notion.state import TEMPLATES_DATABASE_ID, TEMPLATES_SOURCE_ID
from sandbox.server import Server
from tests.factories import make_deps


def text(*pieces: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": {"content": piece}} for piece in pieces]


def code(*pieces: str, language: str = "html", caption: str = "") -> dict[str, Any]:
    more = {"caption": text(caption)} if caption else {}
    return {"type": "code", "code": {"rich_text": text(*pieces), "language": language, **more}}


def block(kind: str, *items: Any, **content: Any) -> dict[str, Any]:
    """Return a block of any kind; items are words, or rich text as the API has it."""
    rich = [item if isinstance(item, dict) else text(item)[0] for item in items]
    return {"type": kind, kind: {**({"rich_text": rich} if rich else {}), **content}}


def link(words: str, url: str) -> dict[str, Any]:
    return {"type": "text", "text": {"content": words, "link": {"url": url}}}


def bold(words: str) -> dict[str, Any]:
    return {"type": "text", "text": {"content": words}, "annotations": {"bold": True}}


class Owner:
    """The owner of the business at the desk."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = notion_client.Client(
            client=httpx.Client(verify=TRUST),
            auth="ntn_owner",
            base_url=server.notion_url,
            retry=False,
            logger=logging.getLogger("owner"),
        )

    def write(self, name: str, subject: str = "", *html: str, status: str = "Active", blocks: Any = ()) -> str:
        """Make a page in the templates database and return its id."""
        properties: dict[str, Any] = {"Template Name": {"title": text(name)}, "Status": {"select": {"name": status}}}
        if subject:
            properties["Subject Line"] = {"rich_text": text(subject)}
        if html:
            properties["Email Body HTML"] = {"rich_text": text(*html)}
        parent = {"type": "data_source_id", "data_source_id": TEMPLATES_SOURCE_ID}
        return str(self.client.pages.create(parent=parent, properties=properties, children=list(blocks[:100]))["id"])

    def rewrite(self, page_id: str, *html: str) -> None:
        self.client.pages.update(page_id, properties={"Email Body HTML": {"rich_text": text(*html)}})

    def add_blocks(self, parent_id: str, *blocks: Any) -> list[str]:
        added = self.client.blocks.children.append(parent_id, children=list(blocks))
        return [block["id"] for block in added["results"]]

    def change_columns(self, **columns: Any) -> None:
        self.client.data_sources.update(TEMPLATES_SOURCE_ID, properties=columns)

    def calls(self) -> int:
        """Return how many calls Notion has had so far."""
        return sum(count for path, count in self.server.sandbox.calls.items() if "/notion/" in path)

    def switch(self, **settings: Any) -> None:
        """Turn switches of the stand-in for Notion."""
        with self.server.sandbox.lock:
            self.server.sandbox.settings.merge({"notion": settings})


@pytest.fixture
def owner(notion: Server) -> Iterator[Owner]:
    built = Owner(notion)
    yield built
    built.client.close()


def notebook_at(notion: Server) -> NotionTemplates:
    """Return the templates as Funnel reads them, without the pauses that the real Notion wants between calls."""
    unhurried = NotionCalls("ntn_funnel", notion.notion_url, budget=NotionBudget(None, 1000.0))
    return NotionTemplates("ntn_funnel", TEMPLATES_DATABASE_ID, calls=unhurried)


@pytest.fixture
def desk(sqlite: Engine, notion: Server) -> Iterator[Deps]:
    """Collaborators of Funnel that speak with the stand-in over HTTP."""
    notebook = notebook_at(notion)
    yield replace(make_deps(sqlite), notebook=notebook)
    notebook.close()
