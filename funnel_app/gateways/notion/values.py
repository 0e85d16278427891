"""Values: convert plain values to Notion's properties and back; pure.

Plain values are text, numbers, booleans, and times as text in UTC to the minute, which is Notion's precision; None is
an empty property. Reading back gives what was written, so that rows can be compared.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from funnel_app.campaigns.called import as_choice
from funnel_app.gateways.notion.pages import plain, rich_text

Value = str | int | float | bool | None
LONGEST_TEXT = 2000
TEXTS = frozenset({"title", "rich_text"})
OPTIONS = frozenset({"select", "status"})


def row_time(at: datetime) -> str:
    """Return a time as rows store it: UTC, to the minute."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")


def for_type(kind: str, value: Value) -> Value:
    """Return a value as a property of this type can store it."""
    if kind == "checkbox":
        return bool(value)
    if value is None or value == "":
        return None
    if kind in OPTIONS:
        return as_choice(str(value))
    if kind in TEXTS:
        return str(value)[:LONGEST_TEXT].strip() or None
    return value


def encoded(kind: str, value: Value) -> dict[str, Any]:
    """Return the update of a property of this type; an empty value clears it."""
    value = for_type(kind, value)
    if kind in TEXTS:
        return {kind: rich_text(str(value), "The text") if value is not None else []}
    if value is None:
        return {kind: None}
    if kind in OPTIONS:
        return {kind: {"name": value}}
    return {kind: {"start": str(value).replace("Z", ":00Z")}} if kind == "date" else {kind: value}


def decoded(prop: Mapping[str, Any]) -> Value:
    """Return the value of a page's property; None if empty."""
    kind = str(prop.get("type"))
    value = prop.get(kind)
    if kind in TEXTS:
        return plain(value).strip() or None
    if kind in OPTIONS:
        return str(value["name"]) if value else None
    if kind == "multi_select":
        return "; ".join(str(option["name"]) for option in value or []) or None
    if kind == "date":
        return _date(value["start"]) if value else None
    if kind in {"formula", "rollup"} and isinstance(value, dict):
        return decoded(value)
    return value if isinstance(value, str | int | float | bool) else None


def _date(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return row_time(at) if at.tzinfo else text
