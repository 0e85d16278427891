"""The owner's desk: pages that show the databases in the stand-in for Notion, and edit its templates."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.notion.filters import comparable
from sandbox.notion.json import text_of
from sandbox.notion.state import TEMPLATES_SOURCE_ID, Json, NotionState, Page, Source, new_id, text_item
from sandbox.state import current_sandbox

blueprint = Blueprint("desk", __name__)

LONGEST = 80
CHUNK = 2000  # what one piece of text holds at Notion
NAME, SUBJECT, BODY, STATUS = "Template Name", "Subject Line", "Email Body HTML", "Status"
COLUMNS = {NAME: "title", SUBJECT: "rich_text", BODY: "rich_text", STATUS: "select"}
STATUSES = ("Active", "Draft", "Archived")
# In which properties people wish something, by hand as everything on the desk.
WISHED = ("Wish", "Start sequence", "Do not mail")


@blueprint.get("/desk")
def show_desk() -> str:
    """Show all databases with their rows, newest first."""
    sandbox = current_sandbox()
    with sandbox.lock:
        tables = [
            (title, list(source.properties), list(zip(_ids(sandbox.notion, source), rows, strict=True)))
            for title, source, rows in _tables(sandbox.notion)
        ]
        written = {comparable(page, NAME, "title"): page.id for page in _templates(sandbox.notion)}
    return render_template("desk.html", tables=tables, name=NAME, written=written, wished=WISHED)


@blueprint.get("/desk/rows/<page_id>")
def show_row(page_id: str) -> str:
    """Show a row's wish fields."""
    sandbox = current_sandbox()
    with sandbox.lock:
        page, source = _row(sandbox.notion, page_id)
        wishes = [source.properties[name] for name in WISHED if name in source.properties]
        choices = {prop.name: [each["name"] for each in prop.config.get("options", ())] for prop in wishes}
        values = {prop.name: comparable(page, prop.name, prop.type) for prop in wishes}
    return render_template("row.html", choices=choices, values=values)


@blueprint.post("/desk/rows/<page_id>")
def wish_in_row(page_id: str) -> ResponseReturnValue:
    """Store a wish in a row."""
    sandbox, given = current_sandbox(), request.form
    with sandbox.lock:
        page, source = _row(sandbox.notion, page_id)
        for prop in (source.properties[name] for name in WISHED if name in source.properties):
            ticked, chosen = prop.name in given, prop.option(given.get(prop.name, ""))
            page.values[prop.name] = ticked if prop.type == "checkbox" else chosen
        page.edited_at, page.by_person = sandbox.now(), True
    return redirect("/desk", 303)


def _row(notion: NotionState, page_id: str) -> tuple[Page, Source]:
    page = notion.pages.get(page_id)
    if page is None or page.in_trash or page.source_id not in notion.sources:
        abort(404)
    return page, notion.sources[page.source_id]


@blueprint.get("/desk/templates/<page_id>")
def show_template(page_id: str) -> str:
    """Show a template as the owner edits it; `new` is one that is not there yet."""
    sandbox = current_sandbox()
    with sandbox.lock:
        page = _template(sandbox.notion, page_id)
        values = {column: comparable(page, column, kind) or "" if page else "" for column, kind in COLUMNS.items()}
    return render_template("template.html", values=values, statuses=STATUSES)


@blueprint.get("/notion/<string(length=32):page_id>")
def open_page(page_id: str) -> ResponseReturnValue:
    """Lead from a template's address, as the console links to Notion, to where it is edited."""
    named = [page.id for page in _templates(current_sandbox().notion) if page.id.replace("-", "") == page_id]
    return redirect(f"/desk/templates/{named[0]}") if named else abort(404)


@blueprint.post("/desk/templates/<page_id>")
def save_template(page_id: str) -> ResponseReturnValue:
    """Save the owner's text, or trash the page."""
    sandbox, given = current_sandbox(), request.form
    with sandbox.lock:
        notion, now = sandbox.notion, sandbox.now()
        page = _template(notion, page_id)
        if page is None:
            page = Page(new_id(), TEMPLATES_SOURCE_ID, TEMPLATES_SOURCE_ID, {}, now, now)
            notion.pages[page.id] = page
        for column in (NAME, SUBJECT, BODY):
            page.values[column] = _rich_text(given.get(column, "").replace("\r\n", "\n"))
        option = notion.sources[TEMPLATES_SOURCE_ID].properties[STATUS].option(given.get(STATUS, ""))
        page.values[STATUS] = option
        page.in_trash, page.edited_at, page.by_person = "delete" in given, now, True
    return redirect("/desk", 303)


def _rich_text(text: str) -> list[Json]:
    return [text_item(text[at : at + CHUNK]) for at in range(0, len(text), CHUNK)]


def _template(notion: NotionState, page_id: str) -> Page | None:
    if page_id == "new":
        return None
    return next((page for page in _templates(notion) if page.id == page_id), None) or abort(404)


def _templates(notion: NotionState) -> list[Page]:
    return [page for page in notion.pages.values() if page.source_id == TEMPLATES_SOURCE_ID and not page.in_trash]


@blueprint.get("/control/notion/tables")
def list_tables() -> Response:
    """Return every row of every database as text, by the database's title, oldest first."""
    sandbox = current_sandbox()
    with sandbox.lock:
        return jsonify({title: rows[::-1] for title, _, rows in _tables(sandbox.notion)})


@blueprint.get("/control/notion/page")
def find_page() -> Response:
    """Return the id of a person's row in the database of this `title`, by their `email`; null where none is yet."""
    sandbox, asked = current_sandbox(), request.args
    with sandbox.lock:
        pages = [
            page
            for title, source, _ in _tables(sandbox.notion)
            if title == asked["title"]
            for page in _pages(sandbox.notion, source)
        ]
        found = next((page.id for page in pages if comparable(page, "Email", "email") == asked["email"]), None)
    return jsonify(id=found)


def _tables(notion: NotionState) -> list[tuple[str, Source, list[dict[str, str]]]]:
    return [(text_of(source.title), source, _rows(notion, source)) for source in notion.sources.values()]


def _rows(notion: NotionState, source: Source) -> list[dict[str, str]]:
    pages = _pages(notion, source)
    return [{name: _shown(page, name, prop.type) for name, prop in source.properties.items()} for page in pages]


def _ids(notion: NotionState, source: Source) -> list[str]:
    return [page.id for page in _pages(notion, source)]


def _pages(notion: NotionState, source: Source) -> list[Page]:
    return [page for page in notion.pages.values() if page.source_id == source.id and not page.in_trash][::-1]


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
