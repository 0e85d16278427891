"""Schema of the three databases, from `migrations/notion/schema.toml`; pure except for reading it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA_FILE = Path(__file__).parents[3] / "migrations" / "notion" / "schema.toml"
WITH_OPTIONS = frozenset({"select", "multi_select"})


class SchemaError(Exception):
    """The schema, or a name given for one of its properties, cannot be used."""


class Writes(StrEnum):
    """When Funnel writes a property."""

    ALWAYS = "always"
    KNOWN = "known"
    ONCE = "once"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property that Funnel uses; the key is ours, the name is Notion's."""

    key: str
    name: str
    type: str
    also: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    writes: Writes = Writes.KNOWN

    def takes(self, kind: str | None) -> bool:
        """Say whether Funnel supports this type of the property."""
        return kind in (self.type, *self.also)

    def as_notion(self) -> dict[str, Any]:
        """Return the definition that creates the property."""
        if self.type not in WITH_OPTIONS:
            return {self.type: {}}
        return {self.type: {"options": [{"name": name} for name in self.options]}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One database: its title and its properties by key."""

    key: str
    title: str
    properties: Mapping[str, Property]

    def faults(self, types: Mapping[str, str]) -> list[str]:
        """Name each property that a real table lacks or has with a wrong type, with the fix."""
        return self._faults(types, of_wishes=False)

    def wishes_lacking(self, types: Mapping[str, str]) -> list[str]:
        """Name each property for wishes that a real table lacks or has with a wrong type, with the fix."""
        return self._faults(types, of_wishes=True)

    def _faults(self, types: Mapping[str, str], *, of_wishes: bool) -> list[str]:
        wanted = (prop for prop in self.properties.values() if (prop.writes is Writes.ANSWER) == of_wishes)
        return [fault for prop in wanted if (fault := self._fault(prop, types))]

    def with_options(self, options: Mapping[str, tuple[str, ...]]) -> "Table":
        """Return the table with these options of some of its properties."""
        known = {key: found for key, found in options.items() if key in self.properties}
        named = {key: replace(self.properties[key], options=found) for key, found in known.items()}
        return replace(self, properties={**self.properties, **named})

    def missing(self, types: Mapping[str, str]) -> dict[str, Any]:
        """Return the definitions of missing properties; the title always exists, and only a person can rename it."""
        return {p.name: p.as_notion() for p in self.properties.values() if p.name not in types and p.type != "title"}

    def _fault(self, prop: Property, types: Mapping[str, str]) -> str | None:
        kind = types.get(prop.name)
        if prop.takes(kind):
            return None
        wanted = " or ".join((prop.type, *prop.also))
        if kind is not None:
            return f"{self.title}: “{prop.name}” is {kind} and should be {wanted}; change its type in Notion"
        if prop.type == "title":
            titles = ", ".join(f"“{name}”" for name, kind in types.items() if kind == "title")
            return f"{self.title}: “{prop.name}” is missing; rename the title property {titles} to it"
        return f"{self.title}: “{prop.name}” ({wanted}) is missing; flask notion init adds it"


def load_schema(names: Mapping[str, str] | None = None) -> dict[str, Table]:
    """Return the tables by key, with properties renamed by `table.key`; SchemaError says what is wrong."""
    tables = _tables()
    for where, name in (names or {}).items():
        tables = _renamed(tables, where, name)
    for table in tables.values():
        called = [prop.name for prop in table.properties.values()]
        if len(set(called)) < len(called):
            raise SchemaError(f"NOTION_PROPERTY_NAMES: two properties of {table.key} have the same name.")
    return tables


@cache
def _tables() -> dict[str, Table]:
    # Read once, before a fork; immutable.
    return {key: _table(key, given) for key, given in tomllib.loads(SCHEMA_FILE.read_text("utf-8")).items()}


def _table(key: str, given: Mapping[str, Any]) -> Table:
    properties = {name: _property(name, facts) for name, facts in given["properties"].items()}
    return Table(key=key, title=given["title"], properties=properties)


def _property(key: str, facts: Mapping[str, Any]) -> Property:
    return Property(
        key=key,
        name=facts["name"],
        type=facts["type"],
        also=tuple(facts.get("also", ())),
        options=tuple(facts.get("options", ())),
        writes=Writes(facts.get("writes", Writes.KNOWN)),
    )


def _renamed(tables: dict[str, Table], where: str, name: str) -> dict[str, Table]:
    table_key, _, key = where.partition(".")
    table = tables.get(table_key)
    if table is None or key not in table.properties:
        known = ", ".join(f"{t.key}.{prop}" for t in tables.values() for prop in t.properties)
        raise SchemaError(f"NOTION_PROPERTY_NAMES: there is no {where}; there are {known}.")
    prop = replace(table.properties[key], name=name)
    return {**tables, table_key: replace(table, properties={**table.properties, key: prop})}
