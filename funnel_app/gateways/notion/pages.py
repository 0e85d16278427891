"""Pages, properties and blocks of Notion, parsed and built; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.notion.chunks import MOST_CHUNKS, chunks, utf16_units

# A page has at most 25 items of a property; at that number the property is read separately.
ITEMS_PER_PAGE = 25
TEXTS = frozenset({"title", "rich_text"})
CHOICES = frozenset({"select", "status"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateNames:
    """The property names of the templates' database."""

    title: str = "Template Name"
    subject: str = "Subject Line"
    body: str = "Email Body HTML"
    status: str = "Status"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One template in Notion; html and status are empty if Notion has none.

    `faults` are sentences about columns that are missing or unreadable; `unread` is Notion's error for the page's
    blocks; `typed` is rich content as plain data; `unclear` says why no code block could be chosen; `written` whether
    somebody wrote on the page; `in_property` is False if the letter is in the page's blocks; `made_by` is the creator's
    id, empty if edited since.
    """

    id: str
    name: str
    subject: str
    html: str
    status: str
    url: str
    last_edited: str
    faults: tuple[str, ...] = ()
    unread: str = ""
    typed: tuple[Mapping[str, Any], ...] = ()
    unclear: str = ""
    written: bool = False
    in_property: bool = True
    made_by: str = ""


def answering(pages: Iterable[Page], key: str, aliases: Sequence[str]) -> list[Page]:
    """Return the pages named like the key; without any, those that match an alias glob in any case."""
    listed = list(pages)
    globs = [alias.strip().casefold() for alias in aliases]
    return [page for page in listed if page.name == key] or [
        page for page in listed if any(fnmatchcase(page.name.casefold(), glob) for glob in globs)
    ]


def plain(items: object) -> str:
    """Return the text of rich text items, joined without anything between."""
    listed = items if isinstance(items, list) else []
    return "".join(str(item.get("plain_text") or _content(item)) for item in listed)


def property_text(page: Mapping[str, Any], name: str) -> str:
    """Return a property as text: title, rich text, or the name of a status or select; empty if missing."""
    found = (page.get("properties") or {}).get(name) or {}
    kind = found.get("type", "")
    value = found.get(kind)
    if kind in CHOICES:
        return str((value or {}).get("name", ""))
    return plain(value)


def may_be_cut(page: Mapping[str, Any], name: str) -> bool:
    """Say whether Notion may have truncated this rich text."""
    found = (page.get("properties") or {}).get(name) or {}
    return len(found.get("rich_text") or []) == ITEMS_PER_PAGE


def to_page(page: Mapping[str, Any], names: TemplateNames, html: str | None) -> Page:
    """Return the template in an API page; its body from the property unless given."""
    return Page(
        id=str(page["id"]),
        name=property_text(page, names.title).strip(),
        subject=property_text(page, names.subject).strip(),
        html=property_text(page, names.body) if html is None else html,
        status=property_text(page, names.status),
        url=str(page.get("url") or ""),
        last_edited=str(page.get("last_edited_time") or ""),
        faults=tuple(_column_faults(page.get("properties") or {}, names)),
        made_by="" if page.get("last_edited_time") != page.get("created_time") else _maker(page),
    )


def _maker(page: Mapping[str, Any]) -> str:
    return str((page.get("last_edited_by") or {}).get("id") or "")


def _column_faults(columns: Mapping[str, Any], names: TemplateNames) -> Iterator[str]:
    types = {name: str(column.get("type", "")) for name, column in columns.items()}
    for name in (names.title, names.subject, names.body):
        if name not in types:
            there = ", ".join(f"“{each}”" for each in sorted(types)) or "none"
            yield f"the templates database has no property “{name}”; its properties are {there}"
        elif types[name] not in TEXTS:
            yield _wrong_type(name, types[name], "text")
    if types.get(names.status, "select") not in CHOICES | TEXTS:
        yield _wrong_type(names.status, types[names.status], "select")


def _wrong_type(name: str, found: str, wanted: str) -> str:
    return f"the property “{name}” of the templates database is of the type {found}, not {wanted}"


def rich_text(text: str, what: str) -> list[dict[str, Any]]:
    """Return rich text items for a text; Rejected beyond Notion's limit."""
    pieces = chunks(text)
    if len(pieces) > MOST_CHUNKS:
        raise Rejected(
            "notion",
            f"{what} has {utf16_units(text)} characters, and a Notion property holds {MOST_CHUNKS} pieces of 2000.",
            code="too_long",
        )
    return [{"type": "text", "text": {"content": piece}} for piece in pieces]


def _content(item: Mapping[str, Any]) -> str:
    return str((item.get("text") or {}).get("content") or "")
