"""Notion's pages and blocks: create, show, change, trash."""

from urllib.parse import unquote

from flask import Response, request

from sandbox.notion.checks import (
    NotionProblem,
    check_blocks,
    check_rich_text,
    check_values,
    invalid,
)
from sandbox.notion.filters import one_page
from sandbox.notion.http import Json, answer, blueprint, body, by_person, get, same_id
from sandbox.notion.json import block_json, item_json, page_json
from sandbox.notion.state import Block, Database, NotionState, Page, Source, new_id
from sandbox.state import Sandbox, current_sandbox


@blueprint.post("/pages")
def create_page() -> Response:
    """Add a page to a table or below another page."""
    sandbox, given = current_sandbox(), body()
    with sandbox.lock:
        notion = sandbox.notion
        source, parent_id = page_parent(notion, given.get("parent"))
        values = page_values(source, given.get("properties", {}))
        blocks = check_blocks(given.get("children", []))
        now = sandbox.now()
        page = Page(new_id(), parent_id, source.id if source else None, values, now, now, by_person=by_person())
        notion.pages[page.id] = page
        append(notion, page.id, blocks, sandbox)
        return answer(page_json(notion, page))


def page_parent(notion: NotionState, parent: object) -> tuple[Source | None, str]:
    """Return the table (None below a page) and the id of what a new page goes into; raises NotionProblem."""
    given = parent if isinstance(parent, dict) else {}
    if "data_source_id" in given:
        source = get(notion.sources, "data_source", given["data_source_id"])
        return source, source.id
    if "database_id" in given:
        database: Database = get(notion.databases, "database", given["database_id"])
        return notion.sources[database.source_ids[0]], database.source_ids[0]
    if "page_id" in given:
        return None, get(notion.pages, "page", given["page_id"]).id
    raise invalid("body failed validation: body.parent should name a data source, a database or a page.")


def page_values(source: Source | None, given: object) -> Json:
    """Return the values to keep for a page; one without a table has only its title. Raises NotionProblem."""
    if source is not None:
        return check_values(source, given)
    if not isinstance(given, dict) or set(given) - {"title"}:
        raise invalid("A page below a page has no property but its title.")
    title = given.get("title", [])
    return {"title": check_rich_text("properties.title", title["title"] if isinstance(title, dict) else title)}


@blueprint.get("/pages/<page_id>")
def show_page(page_id: str) -> Response:
    """Return one page, trashed or not."""
    sandbox = current_sandbox()
    with sandbox.lock:
        page = get(sandbox.notion.pages, "page", page_id)
        return answer(page_json(sandbox.notion, page, request.args.getlist("filter_properties")))


@blueprint.get("/pages/<page_id>/properties/<property_id>")
def show_property(page_id: str, property_id: str) -> Response:
    """Return one property of a page whole: a text item by item, over pages of a list."""
    sandbox = current_sandbox()
    size = request.args.get("page_size", "100")
    with sandbox.lock:
        page = get(sandbox.notion.pages, "page", page_id)
        prop = sandbox.notion.sources[page.source_id].find(unquote(property_id)) if page.source_id else None
        if prop is None:
            raise NotionProblem(404, "object_not_found", f"Could not find property with ID: {property_id}.")
        found = item_json(prop, page.values.get(prop.name))
    if not isinstance(found, list):
        return answer(found)
    # A list's cursor is an item's id, and the items of a text have none of their own.
    numbered = [item | {"n": str(number)} for number, item in enumerate(found)]
    listed = one_page(numbered, int(size) if size.isdecimal() else size, request.args.get("start_cursor"), key="n")
    for item in listed["results"]:
        del item["n"]
    whole: Json = {"id": prop.id, "type": prop.type, "next_url": None, prop.type: {}}
    return answer(listed | {"type": "property_item", "property_item": whole})


@blueprint.patch("/pages/<page_id>")
def update_page(page_id: str) -> Response:
    """Change the properties given and no others, or move the page to the trash and back."""
    sandbox, given = current_sandbox(), body()
    with sandbox.lock:
        page = get(sandbox.notion.pages, "page", page_id)
        trash = given.get("in_trash", given.get("archived"))
        if page.in_trash and trash is not False:
            raise invalid("Can't edit block that is archived. You must unarchive the block before editing.")
        source = sandbox.notion.sources[page.source_id] if page.source_id else None
        page.values |= page_values(source, given["properties"]) if "properties" in given else {}
        page.in_trash = page.in_trash if trash is None else bool(trash)
        page.edited_at, page.by_person = sandbox.now(), by_person()
        return answer(page_json(sandbox.notion, page))


@blueprint.get("/blocks/<block_id>/children")
def list_children(block_id: str) -> Response:
    """List the blocks right below a page or block."""
    sandbox = current_sandbox()
    size = request.args.get("page_size", "100")
    with sandbox.lock:
        parent_id = holder(sandbox.notion, block_id)
        blocks = [block_json(sandbox.notion, block) for block in sandbox.notion.children(parent_id)]
    listed = one_page(blocks, int(size) if size.isdecimal() else size, request.args.get("start_cursor"))
    return answer(listed | {"type": "block", "block": {}})


@blueprint.patch("/blocks/<block_id>/children")
def append_children(block_id: str) -> Response:
    """Add blocks at the end of a page or block."""
    sandbox, given = current_sandbox(), body()
    with sandbox.lock:
        notion, parent_id = sandbox.notion, holder(sandbox.notion, block_id)
        added = append(notion, parent_id, check_blocks(given.get("children")), sandbox)
        notion.touch(parent_id, sandbox.now())
        results = [block_json(notion, block) for block in added]
    listed = {"object": "list", "results": results, "next_cursor": None, "has_more": False}
    return answer(listed | {"type": "block", "block": {}})


@blueprint.delete("/blocks/<block_id>")
def delete_block(block_id: str) -> Response:
    """Move a block, or the page with that id, to the trash."""
    sandbox = current_sandbox()
    with sandbox.lock:
        notion, found_id = sandbox.notion, holder(sandbox.notion, block_id)
        if found_id in notion.pages:
            notion.pages[found_id].in_trash = True
            return answer(page_json(notion, notion.pages[found_id]))
        notion.blocks[found_id].in_trash = True
        notion.touch(found_id, sandbox.now())
        return answer(block_json(notion, notion.blocks[found_id]))


def holder(notion: NotionState, given: str) -> str:
    """Return the id of a page or block that exists; raises NotionProblem."""
    found = same_id(given)
    return found if found in notion.pages else get(notion.blocks, "block", given).id


def append(notion: NotionState, parent_id: str, blocks: list[tuple[str, Json]], sandbox: Sandbox) -> list[Block]:
    """Add checked blocks below a page or block and return them."""
    added = [Block(new_id(), parent_id, kind, content, sandbox.now()) for kind, content in blocks]
    notion.blocks.update((block.id, block) for block in added)
    return added
