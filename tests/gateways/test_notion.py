"""Templates are found by key, then by alias, whole; Notion's failures are of two families."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.notion.budget import NotionBudget
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.notion.templates import NotionTemplates, Page, TemplateNames

API = "https://notion.stand-in.example"
Handler = Callable[[httpx.Request], httpx.Response]


def text(*pieces: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": {"content": piece}, "plain_text": piece} for piece in pieces]


def page(number: int, name: str, *html: str, subject: str = "Hello", **more: Any) -> dict[str, Any]:
    return {
        "object": "page",
        "id": f"p-{number}",
        "url": f"https://notion.example/p-{number}",
        "last_edited_time": "2026-11-24T12:00:00.000Z",
        "properties": {
            "Template Name": {"id": "title", "type": "title", "title": text(name)},
            "Subject Line": {"id": "s", "type": "rich_text", "rich_text": text(subject)},
            "Email Body HTML": {"id": "b", "type": "rich_text", "rich_text": text(*html)},
            "Status": {"id": "st", "type": "status", "status": {"name": "Active"}},
        },
        **more,
    }


def code(*pieces: str) -> dict[str, Any]:
    return {
        "id": "c",
        "type": "code",
        "has_children": False,
        "code": {"rich_text": text(*pieces), "language": "html", "caption": text("html")},
    }


class Notion:
    """A few pages and blocks behind the API's shapes, two results a page, with every call noted."""

    def __init__(self) -> None:
        self.pages: list[dict[str, Any]] = []
        self.blocks: dict[str, list[dict[str, Any]]] = {}
        self.items: list[dict[str, Any]] = []
        self.sources = [{"id": "ds-1", "name": "Templates"}, {"id": "ds-2", "name": "Other"}]
        self.status: dict[str, Any] = {"type": "status", "status": {"options": [{"name": "Active"}]}}
        self.calls: list[tuple[str, str, dict[str, Any]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content or b"{}")
        path = request.url.path.removeprefix("/v1/")
        self.calls.append((request.method, path, body))
        return httpx.Response(200, json=self.answer(request, path, body))

    def answer(self, request: httpx.Request, path: str, body: dict[str, Any]) -> dict[str, Any]:
        cursor = body.get("start_cursor") or request.url.params.get("start_cursor")
        match path.split("/"):
            case ["databases", _]:
                return {"object": "database", "data_sources": self.sources}
            case ["data_sources", "ds-1", "query"]:
                return part(self.matching(body.get("filter")), cursor)
            case ["data_sources", "ds-1"]:
                return {"properties": {"Status": self.status}}
            case ["blocks", block, "children"]:
                return part(self.blocks.get(block, []), cursor)
            case ["pages", _, "properties", "b"]:
                return part(self.items, cursor)
            case ["users", "me"]:
                return {"id": "u-1", "name": "Funnel", "bot": {"workspace_name": "Lumen"}}
            case _:
                return page(9, "written")

    def matching(self, wanted: dict[str, Any] | None) -> list[dict[str, Any]]:
        key = wanted["title"]["contains"] if wanted else ""
        return [each for each in self.pages if key in each["properties"]["Template Name"]["title"][0]["plain_text"]]

    def made(self, method: str, path: str) -> list[dict[str, Any]]:
        return [body for verb, called, body in self.calls if (verb, called) == (method, path)]


def part(results: list[dict[str, Any]], cursor: str | None) -> dict[str, Any]:
    start = int(cursor or 0)
    more = start + 2 < len(results)
    next_cursor = str(start + 2) if more else None
    return {"object": "list", "results": results[start : start + 2], "has_more": more, "next_cursor": next_cursor}


@pytest.fixture
def notion() -> Notion:
    return Notion()


@pytest.fixture
def notebook(notion: Notion) -> Iterator[NotionTemplates]:
    built = notebook_over(notion)
    yield built
    built.close()


class Time:
    """A time that only waiting moves, and what was waited."""

    def __init__(self) -> None:
        self.at, self.waits = 1_800_000_000.0, []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.waits.append(round(seconds, 3))


def notebook_over(handler: Handler, time: Time | None = None) -> NotionTemplates:
    return NotionTemplates("ntn_stand_in", "db-1", calls=calls_over(handler, time))


def calls_over(handler: Handler, time: Time | None = None, **how: Any) -> NotionCalls:
    time = time or Time()
    budget = NotionBudget(None, 3.0, now=time.now, sleep=time.sleep)
    return NotionCalls("ntn_stand_in", API, transport=httpx.MockTransport(handler), budget=budget, **how)


def test_a_template_is_found_by_its_exact_name(notebook: NotionTemplates, notion: Notion) -> None:
    notion.pages = [page(1, "email_10", "<p>10</p>"), page(2, "my email_1", "<p>m</p>"), page(3, "email_1", "<p>1</p>")]
    assert notebook.find_templates("email_1") == [
        Page(
            id="p-3",
            name="email_1",
            subject="Hello",
            html="<p>1</p>",
            status="Active",
            url="https://notion.example/p-3",
            last_edited="2026-11-24T12:00:00.000Z",
        )
    ]


def test_spaces_around_a_name_do_not_count(notebook: NotionTemplates, notion: Notion) -> None:
    notion.pages = [page(1, " email_1 ", "a"), page(2, "email_1", "b")]
    assert [found.name for found in notebook.find_templates(" email_1")] == ["email_1", "email_1"]


def test_an_alias_counts_only_where_no_page_has_the_key(notebook: NotionTemplates, notion: Notion) -> None:
    notion.pages = [
        page(1, "5-Day E1: Your Results", "old"),
        page(2, "email_1", "new"),
        page(3, "5-day e1: Again", "3"),
    ]
    assert [found.id for found in notebook.find_templates("email_1", ["5-Day E1:*"])] == ["p-2"]
    assert [found.id for found in notebook.find_templates("email_x", ["other*", "5-Day E1:*"])] == ["p-1", "p-3"]
    assert notebook.find_templates("email_x", ["E1*"]) == []


def test_without_aliases_a_missing_template_costs_one_query(notebook: NotionTemplates, notion: Notion) -> None:
    assert notebook.find_templates("email_1") == []
    assert len(notion.made("POST", "data_sources/ds-1/query")) == 1


def test_pages_in_the_trash_are_no_templates(notebook: NotionTemplates, notion: Notion) -> None:
    notion.pages = [page(1, "email_1", "a", in_trash=True), page(2, "email_1", "b", archived=True)]
    assert notebook.find_templates("email_1", ["email*"]) == []


def test_a_body_is_all_its_chunks(notebook: NotionTemplates, notion: Notion) -> None:
    notion.pages = [page(1, "email_1", "<p>", "one ", "two", "</p>")]
    assert notebook.find_templates("email_1")[0].html == "<p>one two</p>"


def test_a_body_that_notion_may_have_cut_is_fetched_whole(notebook: NotionTemplates, notion: Notion) -> None:
    notion.pages = [page(1, "email_1", *["x"] * 25)]
    notion.items = [{"object": "property_item", "type": "rich_text", "rich_text": text("x")[0]} for _ in range(31)]
    assert notebook.find_templates("email_1")[0].html == "x" * 31
    assert notebook.list_templates()[0].html == "x" * 31


def test_code_blocks_are_the_body_where_the_property_is_empty(notebook: NotionTemplates, notion: Notion) -> None:
    """All pages of blocks, nested ones in their place, but not those of pages inside the page."""
    nested = {"id": "toggle", "type": "toggle", "has_children": True}
    inner_page = {"id": "inner", "type": "child_page", "has_children": True}
    words = {"id": "w", "type": "paragraph", "has_children": False}
    notion.pages = [page(1, "email_1", " ")]
    notion.blocks = {
        "p-1": [words, code("<p>", "a"), nested, inner_page, code("d</p>")],
        "toggle": [code("b"), words, code("c")],
        "inner": [code("not ours")],
    }
    assert notebook.find_templates("email_1")[0].html == "<p>a\nb\nc\nd</p>"


def test_all_templates_are_listed_over_all_pages(notebook: NotionTemplates, notion: Notion) -> None:
    notion.pages = [page(number, f"email_{number}") for number in range(5)]
    assert [found.name for found in notebook.list_templates()] == [f"email_{number}" for number in range(5)]
    assert [body.get("start_cursor") for body in notion.made("POST", "data_sources/ds-1/query")] == [None, "2", "4"]
    assert not notion.made("GET", "blocks/p-1/children")


def test_properties_that_are_not_there_read_as_empty(notebook: NotionTemplates, notion: Notion) -> None:
    bare = page(1, "email_1")
    bare["properties"] |= {"Status": {"type": "status", "status": None}, "Subject Line": {}}
    del bare["properties"]["Email Body HTML"]
    notion.pages = [bare]
    found = notebook.list_templates()[0]
    assert (found.subject, found.html, found.status) == ("", "", "")


def test_the_properties_may_have_other_names(notion: Notion) -> None:
    other = page(1, "email_1", "<p>1</p>")
    other["properties"]["Nom"] = other["properties"]["Template Name"]
    other["properties"]["Objet"] = {"type": "rich_text", "rich_text": text("Bonjour")}
    notion.pages = [other]
    names = TemplateNames(title="Nom", subject="Objet")
    notebook = NotionTemplates("ntn_stand_in", "db-1", API, transport=httpx.MockTransport(notion), names=names)
    assert notebook.find_templates("email_1")[0].subject == "Bonjour"
    assert notion.made("POST", "data_sources/ds-1/query")[0]["filter"]["property"] == "Nom"


def test_the_database_is_resolved_once_to_its_first_data_source(notebook: NotionTemplates, notion: Notion) -> None:
    notebook.list_templates()
    notebook.find_templates("email_1")
    assert len(notion.made("GET", "databases/db-1")) == 1


def test_a_database_without_a_data_source_is_said(notebook: NotionTemplates, notion: Notion) -> None:
    notion.sources = []
    with pytest.raises(Rejected, match="no data source"):
        notebook.list_templates()


def test_a_new_template_is_written_in_chunks_into_the_data_source(notebook: NotionTemplates, notion: Notion) -> None:
    html = "<p>" + "é" * 4000 + "</p>"
    created = notebook.create_template("email_1", "Hello", html)
    (body,) = notion.made("POST", "pages")
    assert body["parent"] == {"type": "data_source_id", "data_source_id": "ds-1"}
    pieces = [item["text"]["content"] for item in body["properties"]["Email Body HTML"]["rich_text"]]
    assert ([len(piece) for piece in pieces], "".join(pieces)) == ([2000, 2000, 7], html)
    assert body["properties"]["Template Name"]["title"][0]["text"]["content"] == "email_1"
    assert "Status" not in body["properties"]
    assert created.html == html


def test_a_status_is_written_in_the_type_that_the_database_has(notebook: NotionTemplates, notion: Notion) -> None:
    notebook.create_template("email_1", "Hello", "<p>1</p>", status="Active")
    assert notion.made("POST", "pages")[0]["properties"]["Status"] == {"status": {"name": "Active"}}


@pytest.mark.parametrize(
    ("column", "written"),
    [
        ({"type": "select", "select": {"options": []}}, {"select": {"name": "Active"}}),
        ({"type": "status", "status": {"options": [{"name": "Live"}]}}, None),
        ({"type": "checkbox", "checkbox": {}}, None),
        ({}, None),
    ],
)
def test_a_status_that_the_database_cannot_take_is_left_out(notebook: NotionTemplates, notion: Notion, column, written):
    notion.status = column
    notebook.create_template("email_1", "Hello", "<p>1</p>", status="Active")
    assert notion.made("POST", "pages")[0]["properties"].get("Status") == written


def test_only_the_text_that_is_given_is_written(notebook: NotionTemplates, notion: Notion) -> None:
    notebook.fill_template("p-1", None, "<p>1</p>")
    notebook.fill_template("p-1", "Hello", None)
    bodies = notion.made("PATCH", "pages/p-1")
    assert [set(body["properties"]) for body in bodies] == [{"Email Body HTML"}, {"Subject Line"}]


def test_filling_a_template_changes_its_texts_alone(notebook: NotionTemplates, notion: Notion) -> None:
    assert notebook.fill_template("p-1", "", "<p>1</p>").html == "<p>1</p>"
    (body,) = notion.made("PATCH", "pages/p-1")
    assert body["properties"]["Subject Line"] == {"rich_text": []}
    assert set(body["properties"]) == {"Subject Line", "Email Body HTML"}


def test_a_text_beyond_notions_limit_is_refused_before_it_is_sent(notebook: NotionTemplates, notion: Notion) -> None:
    with pytest.raises(Rejected, match=r"200001 characters.*100 pieces of 2000") as refused:
        notebook.fill_template("p-1", "Hello", "x" * 200_001)
    assert (refused.value.code, notion.calls) == ("too_long", [])
    notebook.fill_template("p-1", "Hello", "x" * 200_000)


def test_the_token_says_whose_it_is(notebook: NotionTemplates) -> None:
    assert notebook.whoami() == "Funnel (Lumen)"
    nameless = notebook_over(lambda _: httpx.Response(200, json={"id": "u-1"}))
    assert nameless.whoami() == "u-1"


def test_every_call_carries_token_and_version_and_adds_no_log_handler(notion: Notion) -> None:
    seen: list[httpx.Headers] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return notion(request)

    handlers = len(logging.getLogger("notion_client").handlers)
    notebook_over(note).whoami()
    assert (seen[0]["Authorization"], seen[0]["Notion-Version"]) == ("Bearer ntn_stand_in", "2025-09-03")
    assert len(logging.getLogger("notion_client").handlers) == handlers


def test_nothing_is_asked_before_the_first_call() -> None:
    seen: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return notion(request)

    notebook_over(note).close()
    assert seen == []


def test_an_id_that_leads_elsewhere_is_rejected(notebook: NotionTemplates) -> None:
    with pytest.raises(Rejected):
        notebook.fill_template("../users", "Hello", "<p>1</p>")
