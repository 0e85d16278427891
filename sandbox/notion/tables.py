"""Notion's databases and data sources: create, show, change, query."""

from flask import Response, request

from sandbox.notion.checks import check_column, check_rich_text, check_schema, invalid
from sandbox.notion.filters import matcher, one_page, ordered
from sandbox.notion.http import Json, answer, blueprint, body, get
from sandbox.notion.json import database_json, page_json, source_json
from sandbox.notion.state import Database, Source, new_id, read_property, read_schema
from sandbox.state import current_sandbox


@blueprint.post("/databases")
def create_database() -> Response:
    """Create a database with its first table; the answer names the table and none of its properties."""
    sandbox, given = current_sandbox(), body()
    parent = given.get("parent") or {}
    title = check_rich_text("title", given.get("title", []))
    schema = read_schema(check_schema((given.get("initial_data_source") or {}).get("properties", {})))
    with sandbox.lock:
        notion, now = sandbox.notion, sandbox.now()
        page_id = get(notion.pages, "page", parent.get("page_id")).id
        source = Source(new_id(), new_id(), title, schema, now)
        database = Database(source.database_id, title, {"type": "page_id", "page_id": page_id}, now, [source.id])
        notion.sources[source.id], notion.databases[database.id] = source, database
        return answer(database_json(notion, database))


@blueprint.get("/databases/<database_id>")
def show_database(database_id: str) -> Response:
    """Return one database with its data sources."""
    sandbox = current_sandbox()
    with sandbox.lock:
        return answer(database_json(sandbox.notion, get(sandbox.notion.databases, "database", database_id)))


@blueprint.get("/data_sources/<source_id>")
def show_source(source_id: str) -> Response:
    """Return one table; the id of its database is not its own."""
    sandbox = current_sandbox()
    with sandbox.lock:
        return answer(source_json(sandbox.notion, get(sandbox.notion.sources, "data_source", source_id)))


@blueprint.patch("/data_sources/<source_id>")
def update_source(source_id: str) -> Response:
    """Add, rename, change or (null) remove columns; others stay."""
    sandbox, given = current_sandbox(), body()
    with sandbox.lock:
        source = get(sandbox.notion.sources, "data_source", source_id)
        if "title" in given:
            source.title = check_rich_text("title", given["title"])
        for key, config in (given.get("properties") or {}).items():
            change_column(source, key, config)
        return answer(source_json(sandbox.notion, source))


def change_column(source: Source, key: str, config: Json | None) -> None:
    """Apply one change to a table; raises NotionProblem."""
    known = source.find(key)
    if known is None and config is None:
        raise invalid(f"{key} is not a property that exists.")
    if known is not None and known.type == "title" and (config is None or set(config) - {"title", "name"}):
        raise invalid("The title property can neither be removed nor change its type.")
    if known is not None and (config is None or set(config) == {"name"}):
        del source.properties[known.name]
    if known is not None and config is not None and set(config) == {"name"}:
        known.name = config["name"]
        source.properties[known.name] = known
    elif config is not None:
        check_column(key, config)
        name = known.name if known else key
        source.properties[name] = read_property(name, config)


@blueprint.post("/data_sources/<source_id>/query")
def query_source(source_id: str) -> Response:
    """Return the pages of a table that match, those in the trash only where asked for."""
    sandbox, given = current_sandbox(), body()
    with sandbox.lock:
        notion = sandbox.notion
        source = get(notion.sources, "data_source", source_id)
        match = matcher(source, given.get("filter"), sandbox.now())
        trashed = bool(given.get("in_trash", given.get("archived", False)))
        pages = [page for page in notion.pages.values() if page.source_id == source.id and page.in_trash == trashed]
        found = ordered(source, [page for page in pages if match(page)], given.get("sorts", []))
        only = request.args.getlist("filter_properties")
        shown = [page_json(notion, page, only) for page in found]
    listed = one_page(shown, given.get("page_size", 100), given.get("start_cursor"))
    return answer(listed | {"type": "page_or_data_source", "page_or_data_source": {}})
