"""Table: one of the owner's databases in Notion, its rows and properties."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.notion.failures import PROVIDER
from funnel_app.gateways.notion.schema import Table, Writes
from funnel_app.gateways.notion.values import Value, decoded, encoded, for_type

DESCRIBED_FOR_S = 300.0
# Properties whose wish is one of several options.
CHOICES = ("wish", "start")
OLDEST_FIRST = [{"timestamp": "created_time", "direction": "ascending"}]
# Notion's errors for a page in the trash, and for one deleted or not shared any more.
IN_TRASH = "archived"
GONE = "object_not_found"


class RowGone(Exception):
    """A person removed the row; it may be created again."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: values by our keys, all properties by Notion's names, and when it was created."""

    id: str
    values: Mapping[str, Value]
    everything: Mapping[str, Value]
    created_at: str
    edited_by: str = ""


class NotionTable:
    """One database. Every call raises Unavailable or Rejected."""

    def __init__(self, calls: NotionCalls, database_id: str, table: Table) -> None:
        self.table = table
        self.database_id = database_id
        self._calls = calls
        self._types: dict[str, str] = {}
        self._types_until = float("-inf")
        self._found_source_id: str | None = None

    def types(self, *, fresh: bool = False) -> Mapping[str, str]:
        """Return the type of every property by name; cached for five minutes."""
        if fresh or time.monotonic() >= self._types_until:
            source = self._calls.read(self._calls.client.data_sources.retrieve, self._source_id)
            self._types = {name: str(prop["type"]) for name, prop in (source.get("properties") or {}).items()}
            self._types_until = time.monotonic() + DESCRIBED_FOR_S
        return self._types

    def faults(self) -> list[str]:
        """Name each property that is missing or of a wrong type in Notion now."""
        return self.table.faults(self.types(fresh=True))

    def wishes_lacking(self) -> list[str]:
        """Name each property for wishes that is missing or of a wrong type in Notion now."""
        return self.table.wishes_lacking(self.types(fresh=True))

    def find_wishes(self) -> list[Row]:
        """Return the rows with a wish, by one query; empty if no property is for wishes."""
        of_choices = [self.table.properties[key].name for key in CHOICES if self._takes(key)]
        asked: list[dict[str, Any]] = [{"property": name, "select": {"is_not_empty": True}} for name in of_choices]
        if self._takes("do_not_mail"):
            asked.append({"property": self.table.properties["do_not_mail"].name, "checkbox": {"equals": True}})
        return list(self._rows(filter={"or": asked})) if asked else []

    def answer_wish(self, page_id: str, values: Mapping[str, Value]) -> None:
        """Clear a wish and write its answer, if the table has a property for it. Raises RowGone."""
        self.update(page_id, {key: value for key, value in values.items() if self._takes(key)})

    def _takes(self, key: str) -> bool:
        prop = self.table.properties.get(key)
        return prop is not None and prop.takes(self.types().get(prop.name))

    def add_missing(self, options: Mapping[str, tuple[str, ...]] | None) -> list[str]:
        """Add the missing properties and return their names; nothing is removed, renamed or retyped.

        `options` has the options that come from the campaigns.
        """
        missing = self.table.with_options(options or {}).missing(self.types(fresh=True))
        if missing:
            update = self._calls.client.data_sources.update
            self._calls.write(update, self._source_id, properties=missing)
            self.types(fresh=True)
        return list(missing)

    def writable(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return the values to write that the table can store now, as they will read back."""
        types = self.types()
        return {
            key: for_type(types[prop.name], value)
            for key, value in values.items()
            if (prop := self.table.properties[key]).takes(types.get(prop.name))
            and (value is not None or prop.writes is Writes.ALWAYS)
        }

    def find_by_address(self, addresses: Iterable[str]) -> list[Row]:
        """Return the rows with these addresses, oldest first, by one query."""
        prop = self.table.properties["email"]
        kind = self.types().get(prop.name)
        if not prop.takes(kind):
            raise Rejected(PROVIDER, f"{self.table.title}: “{prop.name}” is {kind or 'missing'}", code="schema")
        asked = [{"property": prop.name, kind: {"equals": address}} for address in dict.fromkeys(addresses)]
        return list(self._rows(filter={"or": asked})) if asked else []

    def rows(self) -> Iterator[Row]:
        """Return all rows, oldest first."""
        return self._rows()

    def get(self, page_id: str) -> Row:
        """Return a row. Raises RowGone if a person removed it."""
        try:
            page = self._calls.read(self._calls.client.pages.retrieve, page_id)
        except Rejected as refusal:
            if refusal.code == GONE:
                raise RowGone(refusal.message) from refusal
            raise
        if page.get("in_trash") or page.get("archived"):
            raise RowGone(f"{page_id} is in the trash")
        return self._row(page)

    def create(self, values: Mapping[str, Value]) -> Row:
        """Create a row. Not idempotent, so look for it first."""
        parent = {"type": "data_source_id", "data_source_id": self._source_id}
        return self._changed(self._calls.client.pages.create, parent=parent, properties=self._properties(values))

    def update(self, page_id: str, values: Mapping[str, Value]) -> Row:
        """Set these values of a row and leave all others. Raises RowGone if a person removed it."""
        return self._changed(self._calls.client.pages.update, page_id, properties=self._properties(values))

    def _changed(self, call: Callable[..., Any], *args: str, **body: Any) -> Row:
        try:
            return self._row(self._calls.write(call, *args, **body))
        except Rejected as refusal:
            if args and (refusal.code == GONE or IN_TRASH in refusal.message):
                raise RowGone(refusal.message) from refusal
            # The table may have changed: read its types again before the next try.
            self._types_until = float("-inf")
            raise

    def _properties(self, values: Mapping[str, Value]) -> dict[str, Any]:
        types = self.types()
        named = {self.table.properties[key].name: value for key, value in values.items()}
        return {name: encoded(types[name], value) for name, value in named.items()}

    @property
    def _source_id(self) -> str:
        if self._found_source_id is None:
            self._found_source_id = self._calls.find_source(self.database_id)
        return self._found_source_id

    def _rows(self, **query: Any) -> Iterator[Row]:
        pages = self._calls.read_all(
            self._calls.client.data_sources.query, self._source_id, sorts=OLDEST_FIRST, **query
        )
        return (self._row(page) for page in pages if not (page.get("in_trash") or page.get("archived")))

    def _row(self, page: Mapping[str, Any]) -> Row:
        everything = {name: decoded(prop) for name, prop in (page.get("properties") or {}).items()}
        values = {key: everything.get(prop.name) for key, prop in self.table.properties.items()}
        edited_by = str((page.get("last_edited_by") or {}).get("id") or "")
        return Row(str(page["id"]), values, everything, str(page.get("created_time") or ""), edited_by)
