"""What the stand-in for Notion remembers: databases, their tables, pages and blocks."""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]

WORKSPACE_PAGE_ID = "5a2b0d00-0000-4000-8000-000000000000"
TEMPLATES_DATABASE_ID = "5a2b0d00-0000-4000-8000-000000000001"
TEMPLATES_SOURCE_ID = "5a2b0d00-0000-4000-8000-000000000002"
CONTACTS_DATABASE_ID = "5a2b0d00-0000-4000-8000-000000000003"
SEQUENCES_DATABASE_ID = "5a2b0d00-0000-4000-8000-000000000005"
# As an owner has them before Funnel: a few columns of the old system's, and some of people's own.
CONTACTS_SCHEMA: Json = {"Name": {"title": {}}, "Email": {"email": {}}, "Notes": {"rich_text": {}}}
SEQUENCES_SCHEMA: Json = {
    "Name": {"title": {}},
    "Email": {"email": {}},
    "Campaign": {"select": {}},
    **{f"Email {number} Sent": {"date": {}} for number in range(1, 6)},
}
TEMPLATES_SCHEMA: Json = {
    "Template Name": {"title": {}},
    "Subject Line": {"rich_text": {}},
    "Email Body HTML": {"rich_text": {}},
    "Status": {"select": {"options": [{"name": "Active"}, {"name": "Draft"}, {"name": "Archived"}]}},
}


@dataclass
class Property:
    """One column of a table."""

    id: str
    name: str
    type: str
    config: Json

    def option(self, name: str) -> Json | None:
        """Return the option of that name, None where the column has none."""
        return next((option for option in self.config.get("options", []) if option["name"] == name), None)

    def add_option(self, name: str, color: str = "default") -> Json:
        """Add an option to a select column and return it."""
        option = {"id": short_id(self.name + name), "name": name, "color": color}
        self.config.setdefault("options", []).append(option)
        return option


@dataclass
class Source:
    """A table: its columns by name, and the database that holds it."""

    id: str
    database_id: str
    title: list[Json]
    properties: dict[str, Property]
    created_at: datetime

    def find(self, key: str) -> Property | None:
        """Return the column with that name or id, None where there is none."""
        return self.properties.get(key) or next((p for p in self.properties.values() if p.id == key), None)


@dataclass
class Database:
    """A container of tables."""

    id: str
    title: list[Json]
    parent: Json
    created_at: datetime
    source_ids: list[str]


@dataclass
class Page:
    """A row of a table, or a page below another page (then without a source)."""

    id: str
    parent_id: str
    source_id: str | None
    values: Json
    created_at: datetime
    edited_at: datetime
    in_trash: bool = False
    by_person: bool = False


@dataclass
class Block:
    """A piece of a page's content."""

    id: str
    parent_id: str
    type: str
    content: Json
    created_at: datetime
    in_trash: bool = False


@dataclass
class NotionState:
    """Everything in the notebook; starts with one page and three empty databases."""

    started_at: datetime
    databases: dict[str, Database] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    pages: dict[str, Page] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Build the workspace that is known before any call."""
        at = self.started_at
        self.pages[WORKSPACE_PAGE_ID] = Page(WORKSPACE_PAGE_ID, "", None, {"title": plain("Workspace")}, at, at)
        self.add_templates(TEMPLATES_DATABASE_ID, TEMPLATES_SOURCE_ID, at)
        self.add_database("Contacts", CONTACTS_SCHEMA, CONTACTS_DATABASE_ID, new_id(), at)
        self.add_database("Email Sequence", SEQUENCES_SCHEMA, SEQUENCES_DATABASE_ID, new_id(), at)

    def add_templates(self, database_id: str, source_id: str, at: datetime) -> Database:
        """Add a database for email templates, with the columns that the product expects."""
        return self.add_database("Email Templates", TEMPLATES_SCHEMA, database_id, source_id, at)

    def add_database(self, title: str, schema: Json, database_id: str, source_id: str, at: datetime) -> Database:
        """Add a database with one table below the workspace's page."""
        parent = {"type": "page_id", "page_id": WORKSPACE_PAGE_ID}
        self.sources[source_id] = Source(source_id, database_id, plain(title), read_schema(schema), at)
        self.databases[database_id] = Database(database_id, plain(title), parent, at, [source_id])
        return self.databases[database_id]

    def children(self, parent_id: str) -> list[Block]:
        """Return the blocks right below a page or block, in order."""
        return [block for block in self.blocks.values() if block.parent_id == parent_id and not block.in_trash]

    def touch(self, changed_id: str, at: datetime) -> None:
        """Note when a page was edited, of which a block, however deep, has changed."""
        while changed_id in self.blocks:
            changed_id = self.blocks[changed_id].parent_id
        self.pages[changed_id].edited_at = at


def read_schema(given: Json) -> dict[str, Property]:
    """Return the columns that a schema names."""
    return {name: read_property(name, config) for name, config in given.items()}


def read_property(name: str, given: Json) -> Property:
    """Return the column that `{"type": {...}}` describes."""
    kind = next(key for key in given if key not in ("type", "name", "description"))
    config = dict(given[kind] or {})
    options = config.pop("options", [])
    prop = Property("title" if kind == "title" else short_id(name), name, kind, config)
    if kind in ("select", "multi_select", "status"):
        prop.config["options"] = []
        for option in options:
            prop.add_option(option["name"], option.get("color", "default"))
    return prop


def plain(text: str) -> list[Json]:
    """Return rich text of one plain piece, as answers show it."""
    return [text_item(text)]


def text_item(content: str, link: Json | None = None, annotations: Json | None = None) -> Json:
    """Return one piece of rich text, as answers show it."""
    style = dict.fromkeys(("bold", "italic", "strikethrough", "underline", "code"), False) | {"color": "default"}
    return {
        "type": "text",
        "text": {"content": content, "link": link},
        "annotations": style | (annotations or {}),
        "plain_text": content,
        "href": link["url"] if link else None,
    }


def new_id() -> str:
    """Return an id as Notion's are."""
    return str(uuid.uuid4())


def short_id(name: str) -> str:
    """Return the short id of a column or an option, always the same for one name."""
    return hashlib.sha256(name.encode()).hexdigest()[:6]
