"""Workspace: the owner's databases in Notion, two of which Funnel keeps up to date for people to read."""

from collections.abc import Mapping

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.notion.pages import rich_text
from funnel_app.gateways.notion.schema import Table
from funnel_app.gateways.notion.table import NotionTable


class NotionWorkspace:
    """The configured databases: templates, and the mirror's, which are optional."""

    def __init__(self, calls: NotionCalls, schema: Mapping[str, Table], database_ids: Mapping[str, str | None]) -> None:
        self._calls = calls
        self._schema = schema
        self._people: dict[str, tuple[str, str]] = {}
        self._us: str | None = None
        self._tables = {key: NotionTable(calls, id_, schema[key]) for key, id_ in database_ids.items() if id_}

    @property
    def tables(self) -> list[NotionTable]:
        """All configured tables."""
        return list(self._tables.values())

    @property
    def contacts(self) -> NotionTable | None:
        """The table with a row per contact; None if not configured."""
        return self._tables.get("contacts")

    @property
    def sequences(self) -> NotionTable | None:
        """The table with a row per enrolment; None if not configured."""
        return self._tables.get("sequences")

    @property
    def mirrors(self) -> bool:
        """Say whether anything is mirrored."""
        return self.contacts is not None or self.sequences is not None

    def who(self, user_id: str) -> tuple[str, str]:
        """Return name and address of a row's editor, as far as Notion reveals them; cached."""
        if user_id not in self._people:
            try:
                found = self._calls.read(self._calls.client.users.retrieve, user_id)
            except Rejected:
                # Without the capability to read users only the id is known.
                found = {}
            address = str((found.get("person") or {}).get("email") or "")
            self._people[user_id] = str(found.get("name") or ""), address.lower()
        return self._people[user_id]

    def is_us(self, user_id: str) -> bool:
        """Say whether a user is our own integration."""
        if self._us is None:
            self._us = str(self._calls.read(self._calls.client.users.me).get("id") or "")
        return user_id == self._us

    def not_set(self) -> list[Table]:
        """Return the tables that are not configured."""
        return [table for key, table in self._schema.items() if key not in self._tables]

    def make_database(self, table: Table, page_id: str) -> str:
        """Create a database with all properties of a table below a page, and return its id. Not idempotent."""
        made = self._calls.write(
            self._calls.client.databases.create,
            parent={"type": "page_id", "page_id": page_id},
            title=rich_text(table.title, "The title"),
            initial_data_source={"properties": {prop.name: prop.as_notion() for prop in table.properties.values()}},
        )
        return str(made["id"])
