"""The owner's desk: the databases in the stand-in for Notion, as a person reads them."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, render_template

from sandbox.notion_filters import comparable
from sandbox.notion_json import text_of
from sandbox.notion_state import NotionState, Page, Source
from sandbox.state import current_sandbox

blueprint = Blueprint("desk", __name__)

LONGEST = 80


@blueprint.get("/desk")
def show_desk() -> str:
    """Show all databases with their rows, newest first."""
    sandbox = current_sandbox()
    with sandbox.lock:
        tables = [(title, list(source.properties), rows) for title, source, rows in _tables(sandbox.notion)]
    return render_template("desk.html", tables=tables)


@blueprint.get("/control/notion/tables")
def list_tables() -> Response:
    """Return every row of every database as text, by the database's title, oldest first."""
    sandbox = current_sandbox()
    with sandbox.lock:
        return jsonify({title: rows[::-1] for title, _, rows in _tables(sandbox.notion)})


def _tables(notion: NotionState) -> list[tuple[str, Source, list[dict[str, str]]]]:
    return [(text_of(source.title), source, _rows(notion, source)) for source in notion.sources.values()]


def _rows(notion: NotionState, source: Source) -> list[dict[str, str]]:
    pages = [page for page in notion.pages.values() if page.source_id == source.id and not page.in_trash]
    return [{name: _shown(page, name, prop.type) for name, prop in source.properties.items()} for page in pages[::-1]]


def _shown(page: Page, name: str, kind: str) -> str:
    value: Any = comparable(page, name, kind)
    if kind == "checkbox":
        return "✓" if value else ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
