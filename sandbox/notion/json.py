"""How Notion shows its objects."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sandbox.notion.filters import to_minute
from sandbox.notion.state import Block, Database, NotionState, Page, Property, Source

Json = dict[str, Any]
BOT: Json = {"object": "user", "id": "5a2b0d00-0000-4000-8000-00000000b070"}
# What a person is beside their id; an integration must have the capability to read it.
OWNER: Json = {"name": "Olga", "avatar_url": None, "type": "person", "person": {"email": "olga@example.com"}}
PERSON: Json = {"object": "user", "id": "5a2b0d00-0000-4000-8000-00000000aaaa"}
URL = "https://app.notion.com/p/"
# A page shows no more pieces of one text than these; the property's own address shows all.


def moment(at: datetime) -> str:
    """Return a time as Notion writes it."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def history(created_at: datetime, edited_at: datetime) -> Json:
    """Return who made an object and when, in whole minutes."""
    return {
        "created_time": moment(to_minute(created_at)),
        "last_edited_time": moment(to_minute(edited_at)),
        "created_by": BOT,
        "last_edited_by": BOT,
    }


def database_json(notion: NotionState, database: Database) -> Json:
    """Return a database: its tables by id and name, no properties."""
    sources = [notion.sources[source_id] for source_id in database.source_ids]
    return {
        "object": "database",
        "id": database.id,
        "title": database.title,
        "description": [],
        "parent": database.parent,
        "is_inline": False,
        "in_trash": False,
        "archived": False,
        "data_sources": [{"id": source.id, "name": text_of(source.title)} for source in sources],
        "url": URL + database.id.replace("-", ""),
        **history(database.created_at, database.created_at),
    }


def source_json(notion: NotionState, source: Source) -> Json:
    """Return a table with its columns."""
    return {
        "object": "data_source",
        "id": source.id,
        "title": source.title,
        "description": [],
        "properties": {prop.name: property_json(prop) for prop in source.properties.values()},
        "parent": {"type": "database_id", "database_id": source.database_id},
        "database_parent": notion.databases[source.database_id].parent,
        "in_trash": False,
        "archived": False,
        "url": URL + source.database_id.replace("-", ""),
        **history(source.created_at, source.created_at),
    }


def property_json(prop: Property) -> Json:
    """Return one column."""
    return {
        "id": quote(prop.id),
        "name": prop.name,
        "description": None,
        "type": prop.type,
        prop.type: prop.config,
    }


def page_json(notion: NotionState, page: Page, only: Iterable[str] = ()) -> Json:
    """Return a page with its properties, or only those with the names or ids given."""
    wanted = set(only)
    shown = {
        name: value for name, value in values_json(notion, page).items() if not wanted or {name, value["id"]} & wanted
    }
    return {
        "object": "page",
        "id": page.id,
        **history(page.created_at, page.edited_at),
        **({"created_by": PERSON, "last_edited_by": PERSON} if page.by_person else {}),
        "cover": None,
        "icon": None,
        "parent": parent_json(notion, page),
        "in_trash": page.in_trash,
        "is_archived": page.in_trash,
        "is_locked": False,
        "archived": page.in_trash,
        "properties": shown,
        "url": URL + page.id.replace("-", ""),
        "public_url": None,
    }


def parent_json(notion: NotionState, page: Page) -> Json:
    """Return what a page lies in."""
    if page.source_id is not None:
        database_id = notion.sources[page.source_id].database_id
        return {"type": "data_source_id", "data_source_id": page.source_id, "database_id": database_id}
    if page.parent_id:
        return {"type": "page_id", "page_id": page.parent_id}
    return {"type": "workspace", "workspace": True}


def values_json(notion: NotionState, page: Page) -> dict[str, Json]:
    """Return all properties of a page, empty ones too."""
    if page.source_id is None:
        return {"title": {"id": "title", "type": "title", "title": page.values.get("title", [])}}
    props = notion.sources[page.source_id].properties.values()
    return {prop.name: value_json(prop, page.values.get(prop.name)) for prop in props}


def item_json(prop: Property, value: Any) -> Json | list[Json]:
    """Return one property whole: texts item by item, everything else as one."""
    head = {"object": "property_item", "id": quote(prop.id), "type": prop.type}
    shown = value_json(prop, value)[prop.type]
    if prop.type not in ("title", "rich_text"):
        return head | {prop.type: shown}
    return [head | {prop.type: item} for item in shown]


def value_json(prop: Property, value: Any) -> Json:
    """Return one property's value, in the empty form of its type where it has none."""
    empty: Any = [] if prop.type in ("title", "rich_text", "multi_select") else None
    if prop.type == "checkbox":
        empty = False
    return {"id": quote(prop.id), "type": prop.type, prop.type: empty if value is None else value}


def block_json(notion: NotionState, block: Block) -> Json:
    """Return a block without its children."""
    kind = "page_id" if block.parent_id in notion.pages else "block_id"
    return {
        "object": "block",
        "id": block.id,
        "parent": {"type": kind, kind: block.parent_id},
        **history(block.created_at, block.created_at),
        "has_children": bool(notion.children(block.id)),
        "in_trash": block.in_trash,
        "archived": block.in_trash,
        "type": block.type,
        block.type: block.content,
    }


def text_of(items: list[Json]) -> str:
    """Return rich text as plain text."""
    return "".join(item["plain_text"] for item in items)
