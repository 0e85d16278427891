"""Notion's validation and normalisation: schemas, property values, rich text, blocks."""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from sandbox.notion.state import Property, Source, text_item

Json = dict[str, Any]
TEXT_TYPES = ("title", "rich_text")
STRING_LIMITS = {"url": 2000, "email": 200, "phone_number": 200}
PROPERTY_TYPES = {*TEXT_TYPES, *STRING_LIMITS, "number", "select", "multi_select", "status", "date", "checkbox"}


class NotionProblem(Exception):
    """A refusal in Notion's own form."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def invalid(message: str) -> NotionProblem:
    """Return the usual refusal of a body."""
    return NotionProblem(400, "validation_error", message)


def length_problem(path: str, limit: int, found: int) -> NotionProblem:
    """Return the refusal of something too long, in the words of the real service."""
    return invalid(f"body failed validation: body.{path}.length should be ≤ `{limit}`, instead was `{found}`.")


def utf16_length(text: str) -> int:
    """Return the length as JavaScript counts it: an emoji is 2."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check_schema(given: object) -> Json:
    """Return the columns given for a table, with a title column where none is; raises NotionProblem."""
    if not isinstance(given, dict):
        raise invalid("body failed validation: properties should be an object.")
    for name, config in given.items():
        check_column(name, config)
    titles = [name for name, config in given.items() if "title" in config]
    if len(titles) > 1:
        raise invalid("A data source has exactly one title property.")
    return given if titles else {"Name": {"title": {}}, **given}


def check_column(name: str, config: object) -> None:
    """Raise NotionProblem unless the column's type is one that the sandbox knows."""
    kinds = set(config) - {"type", "name", "description"} if isinstance(config, dict) else set()
    if len(kinds) != 1 or not kinds <= PROPERTY_TYPES:
        raise invalid(f"body failed validation: body.properties.{name} should name one known type.")


def check_values(source: Source, given: object) -> Json:
    """Return property values as they are kept, by column name; raises NotionProblem."""
    if not isinstance(given, dict):
        raise invalid("body failed validation: body.properties should be an object.")
    kept = {}
    for key, value in given.items():
        prop = source.find(key)
        if prop is None:
            raise invalid(f"{key} is not a property that exists.")
        kept[prop.name] = check_value(prop, value)
    return kept


def check_value(prop: Property, given: object) -> Any:
    """Return one property's value as it is kept; raises NotionProblem."""
    if not isinstance(given, dict) or prop.type not in given:
        raise invalid(f"{prop.name} is expected to be {prop.type}.")
    value = given[prop.type]
    if prop.type in TEXT_TYPES:
        return check_rich_text(f"properties.{prop.name}.{prop.type}", value)
    if prop.type == "checkbox" or value is not None:
        return VALUE_CHECKS[prop.type](prop, value)
    return None


def check_rich_text(path: str, items: object) -> list[Json]:
    """Return rich text as answers show it, without its empty pieces; raises NotionProblem."""
    if not isinstance(items, list):
        raise invalid(f"body failed validation: body.{path} should be an array.")
    if len(items) > 100:
        raise length_problem(path, 100, len(items))
    checked = [_check_text_item(f"{path}[{index}]", item) for index, item in enumerate(items)]
    return [item for item in checked if item["plain_text"]]


def _check_text_item(path: str, item: object) -> Json:
    text = item.get("text") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(text, dict) or not isinstance(text.get("content"), str):
        raise invalid(f"body failed validation: body.{path}.text.content should be a string.")
    _check_length(f"{path}.text.content", text["content"], 2000)
    link = text.get("link")
    if link is not None:
        _check_length(f"{path}.text.link.url", link["url"], 2000)
    return text_item(text["content"], link, item.get("annotations"))


def _check_length(path: str, text: str, limit: int) -> None:
    if utf16_length(text) > limit:
        raise length_problem(path, limit, utf16_length(text))


def _string(prop: Property, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise invalid(f"{prop.name} is expected to be {prop.type}.")
    _check_length(f"properties.{prop.name}.{prop.type}", value, STRING_LIMITS[prop.type])
    return value


def _number(prop: Property, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"{prop.name} is expected to be number.")
    return value


def _checkbox(prop: Property, value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid(f"{prop.name} is expected to be checkbox.")
    return value


def _option(prop: Property, value: object) -> Json:
    name = value.get("name") if isinstance(value, dict) else None
    if not isinstance(name, str) or not name:
        raise invalid(f"{prop.name} is expected to be {prop.type}.")
    known = prop.option(name)
    if known is not None:
        return known
    if prop.type == "status":
        raise invalid(f'Status option "{name}" does not exist.')
    if "," in name:
        raise invalid(f"Invalid {prop.type} option, commas not allowed: {name}")
    return prop.add_option(name)


def _options(prop: Property, value: object) -> list[Json]:
    if not isinstance(value, list):
        raise invalid(f"{prop.name} is expected to be multi_select.")
    if len(value) > 100:
        raise length_problem(f"properties.{prop.name}.multi_select", 100, len(value))
    return [_option(prop, item) for item in value]


def _date(prop: Property, value: object) -> Json:
    if not isinstance(value, dict) or "start" not in value:
        raise invalid(f"{prop.name} is expected to be date.")
    start, end = _moment(prop, value["start"]), value.get("end")
    return {"start": start, "end": end and _moment(prop, end), "time_zone": value.get("time_zone")}


def _moment(prop: Property, text: object) -> str:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", str(text)):
            return date.fromisoformat(str(text)).isoformat()
        return datetime.fromisoformat(str(text)).isoformat(timespec="milliseconds")
    except ValueError as error:
        path = f"body.properties.{prop.name}.date.start"
        raise invalid(f"body failed validation: {path} should be a valid ISO 8601 date string.") from error


VALUE_CHECKS: dict[str, Callable[[Property, object], Any]] = {
    "number": _number, "checkbox": _checkbox, "select": _option, "status": _option, "multi_select": _options,
    "date": _date, "url": _string, "email": _string, "phone_number": _string,
}  # fmt: skip


def check_blocks(given: object) -> list[tuple[str, Json]]:
    """Return blocks as pairs of type and content as kept; raises NotionProblem."""
    if not isinstance(given, list):
        raise invalid("body failed validation: body.children should be an array.")
    if len(given) > 100:
        raise length_problem("children", 100, len(given))
    return [_check_block(f"children[{index}]", block) for index, block in enumerate(given)]


def _check_block(path: str, block: object) -> tuple[str, Json]:
    kinds = [key for key in block if key not in ("object", "type")] if isinstance(block, dict) else []
    if not isinstance(block, dict) or len(kinds) != 1 or not isinstance(block[kinds[0]], dict):
        raise invalid(f"body failed validation: body.{path} should name one type of block.")
    kind, content = kinds[0], dict(block[kinds[0]])
    for field in ("rich_text", "caption"):
        if field in content:
            content[field] = check_rich_text(f"{path}.{kind}.{field}", content[field])
    return kind, content
