"""Notion's query language: filters, sorts and pages of results."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.notion.checks import invalid
from sandbox.notion.state import Page, Source

Json = dict[str, Any]
Test = Callable[[Any, Any], bool]
Match = Callable[[Page], bool]

TIMESTAMPS = {"created_time": "created_at", "last_edited_time": "edited_at"}
EMPTY: dict[str, Test] = {
    "is_empty": lambda value, _: value in (None, "", []),
    "is_not_empty": lambda value, _: value not in (None, "", []),
}
EQUALS: dict[str, Test] = {
    "equals": lambda value, wanted: bool(value == wanted),
    "does_not_equal": lambda value, wanted: bool(value != wanted),
}
CONTAINS: dict[str, Test] = {
    "contains": lambda value, wanted: wanted in (value or ""),
    "does_not_contain": lambda value, wanted: wanted not in (value or ""),
}
TEXT: dict[str, Test] = {
    **EMPTY,
    **EQUALS,
    **CONTAINS,
    "starts_with": lambda value, wanted: (value or "").startswith(wanted),
    "ends_with": lambda value, wanted: (value or "").endswith(wanted),
}
NUMBER: dict[str, Test] = {
    **EMPTY,
    **EQUALS,
    "greater_than": lambda value, wanted: value is not None and value > wanted,
    "less_than": lambda value, wanted: value is not None and value < wanted,
    "greater_than_or_equal_to": lambda value, wanted: value is not None and value >= wanted,
    "less_than_or_equal_to": lambda value, wanted: value is not None and value <= wanted,
}
SPANS = {"week": timedelta(days=7), "month": timedelta(days=30), "year": timedelta(days=365)}
DATE: dict[str, Test] = {
    **EMPTY,
    "equals": lambda value, wanted: bool(value == wanted),
    "before": lambda value, wanted: value is not None and value < wanted,
    "after": lambda value, wanted: value is not None and value > wanted,
    "on_or_before": lambda value, wanted: value is not None and value <= wanted,
    "on_or_after": lambda value, wanted: value is not None and value >= wanted,
}
TESTS: dict[str, dict[str, Test]] = {
    **dict.fromkeys(("title", "rich_text", "url", "email", "phone_number"), TEXT),
    "select": {**EMPTY, **EQUALS},
    "status": {**EMPTY, **EQUALS},
    "multi_select": {**EMPTY, **CONTAINS},
    "number": NUMBER,
    "checkbox": EQUALS,
    "date": DATE,
}


def matcher(source: Source, given: object, now: datetime, depth: int = 0) -> Match:
    """Return a test of pages; compound filters nest two levels deep. Raises NotionProblem."""
    if given is None:
        return lambda page: True
    if not isinstance(given, dict):
        raise invalid("body failed validation: body.filter should be an object.")
    for name, combine in (("and", all), ("or", any)):
        if name in given:
            return _compound(source, given[name], now, depth, combine)
    return _timestamp(given, now) if "timestamp" in given else _property(source, given, now)


def _compound(source: Source, parts: object, now: datetime, depth: int, combine: Callable[..., bool]) -> Match:
    if depth == 2 or not isinstance(parts, list):
        raise invalid("body failed validation: body.filter nests at most two levels of arrays.")
    tests = [matcher(source, part, now, depth + 1) for part in parts]
    return lambda page: combine(test(page) for test in tests)


def _property(source: Source, given: Json, now: datetime) -> Match:
    key = str(given.get("property"))
    prop = source.find(key)
    if prop is None:
        raise invalid(f"Could not find property with name or id: {key}")
    kinds = [name for name in given if name not in ("property", "type")]
    if kinds != [prop.type]:
        raise invalid(f"database property {prop.type} does not match filter {' '.join(kinds)}")
    test, wanted = _condition(prop.type, given[prop.type], now)
    return lambda page: test(comparable(page, prop.name, prop.type), wanted)


def _timestamp(given: Json, now: datetime) -> Match:
    field = TIMESTAMPS.get(str(given["timestamp"]))
    if field is None or given["timestamp"] not in given:
        raise invalid("body failed validation: body.filter.timestamp should be `created_time` or `last_edited_time`.")
    test, wanted = _condition("date", given[given["timestamp"]], now)
    return lambda page: test(to_minute(getattr(page, field)), wanted)


def _condition(kind: str, given: object, now: datetime) -> tuple[Test, Any]:
    if not isinstance(given, dict) or len(given) != 1:
        raise invalid(f"body failed validation: body.filter.{kind} should hold one condition.")
    name, wanted = next(iter(given.items()))
    span = SPANS.get(name.partition("_")[2])
    if kind == "date" and span and name.startswith(("past_", "next_")):
        low, high = (now - span, now) if name.startswith("past_") else (now, now + span)
        return (lambda value, _: value is not None and low <= value <= high), None
    if name not in TESTS[kind]:
        raise invalid(f"body failed validation: body.filter.{kind}.{name} should be not present.")
    return _dated(TESTS[kind][name], wanted) if kind == "date" and name not in EMPTY else (TESTS[kind][name], wanted)


def _dated(test: Test, wanted: object) -> tuple[Test, Any]:
    moment = parse_moment(wanted)
    if "T" in str(wanted):
        return test, moment
    # A bare date means the whole day, not its midnight.
    return (lambda value, day: value is not None and test(value.astimezone(UTC).date(), day)), moment.date()


def comparable(page: Page, name: str, kind: str) -> Any:
    """Return a property's value in the form that filters and sorts compare."""
    value = page.values.get(name)
    if kind in ("title", "rich_text"):
        return "".join(item["plain_text"] for item in value or [])
    if kind in ("select", "status"):
        return value and value["name"]
    if kind == "multi_select":
        return [option["name"] for option in value or []]
    if kind == "date":
        return value and parse_moment(value["start"])
    return bool(value) if kind == "checkbox" else value


def parse_moment(text: object) -> datetime:
    """Return an aware time from ISO 8601, a bare date being its midnight in UTC; raises NotionProblem."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise invalid("body failed validation: a date should be a valid ISO 8601 date string.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def to_minute(moment: datetime) -> datetime:
    """Return the time rounded down to the minute, as pages show it."""
    return moment.replace(second=0, microsecond=0)


def ordered(source: Source, pages: list[Page], sorts: object) -> list[Page]:
    """Return pages in the order asked for, those without a value last; raises NotionProblem."""
    if not isinstance(sorts, list):
        raise invalid("body failed validation: body.sorts should be an array.")
    for sort in reversed(sorts):
        value = _sort_value(source, sort)
        filled = [page for page in pages if value(page) is not None]
        empty = [page for page in pages if value(page) is None]
        pages = sorted(filled, key=value, reverse=sort.get("direction") == "descending") + empty
    return pages


def _sort_value(source: Source, sort: object) -> Callable[[Page], Any]:
    given = sort if isinstance(sort, dict) else {}
    field = TIMESTAMPS.get(str(given.get("timestamp")))
    if field is not None:
        return lambda page: to_minute(getattr(page, field))
    prop = source.find(str(given.get("property")))
    if prop is None:
        raise invalid(f"Could not find sort property with name or id: {given.get('property')}")
    return lambda page: comparable(page, prop.name, prop.type)


def one_page(items: list[Json], size: object, cursor: str | None, key: str = "id") -> Json:
    """Return at most `size` (1 to 100) items from the cursor on, in the form of a list; raises NotionProblem."""
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 100:
        raise invalid(f"body failed validation: body.page_size should be ≤ `100`, instead was `{size}`.")
    ids = [item[key] for item in items]
    if cursor is not None and cursor not in ids:
        raise invalid(f"The start_cursor provided is invalid: {cursor}")
    start = ids.index(cursor) if cursor else 0
    rest = items[start + size :]
    return {
        "object": "list",
        "results": items[start : start + size],
        "next_cursor": rest[0][key] if rest else None,
        "has_more": bool(rest),
    }
