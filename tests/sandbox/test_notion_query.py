"""Notion's query language by the real SDK: all ask one table, and none changes it."""

import pytest
from notion_client.errors import HTTPResponseError
from notion_client.helpers import collect_paginated_api

from sandbox.server import serve
from sandbox.state import Config
from tests.sandbox.conftest import Clock, sdk_of
from tests.sandbox.test_notion import add, make_leads, plain, text


@pytest.fixture(scope="module")
def moment():
    return Clock()


@pytest.fixture(scope="module")
def notion(moment):
    with serve(Config(now=moment)) as server, sdk_of(server) as client:
        yield client


@pytest.fixture(autouse=True)
def its_calls_of_a_second_are_its_own(moment):
    moment.forward(seconds=5)


@pytest.fixture(scope="module")
def table(notion, moment):
    """Two pages, two minutes apart: Ana (rich) and Bo (nearly empty)."""
    leads = make_leads(notion)
    add(
        notion, leads, Name=text("Ana", "title"), Notes=text("likes tea"), Email={"email": "ana@client.example"},
        Link={"url": "https://lumen.example"}, Score={"number": 7}, **{"Opt-in": {"checkbox": True}},
        Stage={"select": {"name": "new"}}, State={"status": {"name": "Done"}}, Kinds={"multi_select": [{"name": "a"}]},
        Booked={"date": {"start": "2026-11-25T15:00:00Z"}},
    )  # fmt: skip
    moment.forward(minutes=2)
    add(notion, leads, Name=text("Bo", "title"), Score={"number": 3})
    return leads


def names(notion, table, **query):
    return [plain(page, "Name", "title") for page in notion.data_sources.query(table, **query)["results"]]


def prop(name, kind, **condition):
    return {"property": name, kind: condition}


ANA, BO, BOTH = ["Ana"], ["Bo"], ["Ana", "Bo"]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (prop("Name", "title", equals="Ana"), ANA),
        (prop("Name", "title", does_not_equal="Ana"), BO),
        (prop("Notes", "rich_text", contains="tea"), ANA),
        (prop("Notes", "rich_text", does_not_contain="tea"), BO),
        (prop("Notes", "rich_text", starts_with="likes"), ANA),
        (prop("Notes", "rich_text", ends_with="tea"), ANA),
        (prop("Notes", "rich_text", is_empty=True), BO),
        (prop("Email", "email", equals="ana@client.example"), ANA),
        (prop("Email", "email", is_not_empty=True), ANA),
        (prop("Link", "url", contains="lumen"), ANA),
        (prop("Stage", "select", equals="new"), ANA),
        (prop("Stage", "select", is_empty=True), BO),
        (prop("State", "status", does_not_equal="Done"), BO),
        (prop("Kinds", "multi_select", contains="a"), ANA),
        (prop("Score", "number", greater_than=3), ANA),
        (prop("Score", "number", less_than=7), BO),
        (prop("Score", "number", greater_than_or_equal_to=3), BOTH),
        (prop("Score", "number", less_than_or_equal_to=3), BO),
        (prop("Opt-in", "checkbox", equals=True), ANA),
        (prop("Opt-in", "checkbox", equals=False), BO),
        (prop("Booked", "date", equals="2026-11-25"), ANA),
        (prop("Booked", "date", on_or_before="2026-11-25"), ANA),
        (prop("Booked", "date", after="2026-11-25"), []),
        (prop("Booked", "date", before="2026-11-25T15:00:01Z"), ANA),
        (prop("Booked", "date", on_or_after="2026-11-25T10:00:00-05:00"), ANA),
        (prop("Booked", "date", is_empty=True), BO),
        (prop("Booked", "date", next_week={}), ANA),
        (prop("Booked", "date", past_month={}), []),
        ({"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-11-23T09:10:00Z"}}, BO),
        ({"timestamp": "created_time", "created_time": {"before": "2026-11-23T09:10:00Z"}}, ANA),
        ({"and": [prop("Score", "number", equals=7), prop("Name", "title", equals="Bo")]}, []),
        ({"and": [{"or": [prop("Score", "number", equals=7), prop("Name", "title", equals="Bo")]}]}, BOTH),
        (None, BOTH),
    ],
)
def test_a_filter_finds_the_pages_it_describes(notion, table, given, found):
    assert names(notion, table, **({"filter": given} if given else {})) == found


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (prop("Nope", "title", equals="x"), "Could not find property with name or id: Nope"),
        (prop("Name", "rich_text", equals="x"), "database property title does not match filter rich_text"),
        (prop("Name", "title", greater_than="x"), "should be not present"),
        (prop("Name", "title", equals="x", contains="y"), "one condition"),
        (prop("Booked", "date", equals="soon"), "ISO 8601"),
        ({"timestamp": "seen_time", "seen_time": {}}, "created_time"),
        ({"and": [{"or": [{"and": []}]}]}, "two levels"),
        ({"and": {}}, "two levels"),
        ([1], "should be an object"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(notion, table, given, words):
    with pytest.raises(HTTPResponseError) as caught:
        notion.data_sources.query(table, filter=given)
    assert caught.value.code == "validation_error"
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("sorts", "found"),
    [
        ([{"property": "Score", "direction": "ascending"}], ["Bo", "Ana"]),
        ([{"property": "Name", "direction": "descending"}], ["Bo", "Ana"]),
        ([{"property": "Email", "direction": "descending"}], ["Ana", "Bo"]),
        ([{"timestamp": "last_edited_time", "direction": "descending"}], ["Bo", "Ana"]),
    ],
)
def test_sorts_order_the_pages_and_leave_those_without_a_value_last(notion, table, sorts, found):
    assert names(notion, table, sorts=sorts) == found


def test_a_long_result_comes_in_pages(notion, table):
    first = notion.data_sources.query(table, page_size=1)
    assert (first["has_more"], first["type"], len(first["results"])) == (True, "page_or_data_source", 1)
    pages = collect_paginated_api(notion.data_sources.query, data_source_id=table, page_size=1)
    assert [plain(page, "Name", "title") for page in pages] == BOTH


def test_only_the_properties_asked_for_are_shown(notion, table):
    [page, _] = notion.data_sources.query(table, filter_properties=["title", "Score"])["results"]
    assert set(page["properties"]) == {"Name", "Score"}


@pytest.mark.parametrize(
    "query",
    [{"page_size": 101}, {"page_size": 0}, {"start_cursor": "x"}, {"sorts": {}}, {"sorts": [{"property": "Nope"}]}],
)
def test_sizes_cursors_and_sorts_that_cannot_be_are_refused(notion, table, query):
    with pytest.raises(HTTPResponseError) as caught:
        notion.data_sources.query(table, **query)
    assert caught.value.code == "validation_error"
