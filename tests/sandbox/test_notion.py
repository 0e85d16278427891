"""Notion by the real SDK over HTTP: databases, pages, blocks, refusals."""

import httpx
import pytest
import requests
from notion_client.errors import APIResponseError, HTTPResponseError

from sandbox.notion.state import (
    CONTACTS_DATABASE_ID,
    TEMPLATES_DATABASE_ID,
    TEMPLATES_SOURCE_ID,
    WORKSPACE_PAGE_ID,
    Page,
    read_schema,
    text_item,
)
from tests.pace import patient
from tests.sandbox.conftest import control


def text(content, key="rich_text"):
    return {key: [{"type": "text", "text": {"content": content}}]}


def plain(page, name, key="rich_text"):
    return "".join(item["plain_text"] for item in page["properties"][name][key])


@pytest.fixture
def leads(notion):
    """The id of a table with a column of every type."""
    return make_leads(notion)


def make_leads(notion):
    properties = {
        "Name": {"title": {}}, "Notes": {"rich_text": {}}, "Email": {"email": {}}, "Link": {"url": {}},
        "Phone": {"phone_number": {}}, "Score": {"number": {"format": "number"}}, "Opt-in": {"checkbox": {}},
        "Stage": {"select": {"options": [{"name": "new", "color": "blue"}, {"name": "booked"}]}},
        "State": {"status": {"options": [{"name": "To do"}, {"name": "Done"}]}}, "Booked": {"date": {}},
        "Kinds": {"multi_select": {}},
    }  # fmt: skip
    made = notion.databases.create(
        parent={"type": "page_id", "page_id": WORKSPACE_PAGE_ID},
        title=text("Leads")["rich_text"],
        initial_data_source={"properties": properties},
    )
    return made["data_sources"][0]["id"]


def add(notion, source_id, **properties):
    return notion.pages.create(parent={"type": "data_source_id", "data_source_id": source_id}, properties=properties)


def refusal(call, *args, **kwargs):
    with pytest.raises(HTTPResponseError) as caught:
        call(*args, **kwargs)
    return caught.value


def test_the_templates_database_is_there_from_the_start_and_after_a_reset(server, notion):
    for _ in range(2):
        database = notion.databases.retrieve(TEMPLATES_DATABASE_ID.replace("-", ""))
        assert database["data_sources"] == [{"id": TEMPLATES_SOURCE_ID, "name": "Email Templates"}]
        assert "properties" not in database
        control(server, None, "/reset")
    columns = notion.data_sources.retrieve(TEMPLATES_SOURCE_ID)["properties"]
    assert {name: column["type"] for name, column in columns.items()} == {
        "Template Name": "title",
        "Subject Line": "rich_text",
        "Email Body HTML": "rich_text",
        "Status": "select",
    }
    assert [option["name"] for option in columns["Status"]["select"]["options"]] == ["Active", "Draft", "Archived"]


def test_the_workspace_call_returns_the_ids_or_makes_another_database(server, notion):
    ids = control(server, {}, "/notion/workspace")
    assert ids["database_id"] == TEMPLATES_DATABASE_ID
    assert ids["data_source_id"] == TEMPLATES_SOURCE_ID
    fresh = control(server, {"fresh": True}, "/notion/workspace")
    assert notion.databases.retrieve(fresh["database_id"])["data_sources"][0]["id"] == fresh["data_source_id"]


def test_the_token_stands_for_a_bot(notion):
    assert notion.users.me()["type"] == "bot"


def test_a_new_database_has_its_columns_in_its_data_source(notion, leads):
    source = notion.data_sources.retrieve(leads)
    assert source["properties"]["Stage"]["select"]["options"][0]["color"] == "blue"
    assert source["parent"]["type"] == "database_id"
    bare = notion.databases.create(parent={"page_id": WORKSPACE_PAGE_ID})["data_sources"][0]["id"]
    assert list(notion.data_sources.retrieve(bare)["properties"]) == ["Name"]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"A": {"title": {}}, "B": {"title": {}}}, "exactly one title"),
        ({"A": {"colour": {}}}, "known type"),
        ({"A": None}, "known type"),
        ([], "object"),
    ],
)
def test_a_schema_that_cannot_be_is_refused(notion, schema, words):
    error = refusal(
        notion.databases.create, parent={"page_id": WORKSPACE_PAGE_ID}, initial_data_source={"properties": schema}
    )
    assert (error.status, error.code) == (400, "validation_error")
    assert words in str(error)


def test_columns_can_be_added_changed_renamed_and_removed(notion, leads):
    changes = {"New": {"url": {}}, "Notes": {"name": "Remarks"}, "Phone": None, "Kinds": {"select": {}}}
    source = notion.data_sources.update(leads, properties=changes, title=text("Renamed")["rich_text"])
    assert {"New", "Remarks"} <= source["properties"].keys()
    assert not {"Notes", "Phone"} & source["properties"].keys()
    assert source["properties"]["Kinds"]["type"] == "select"
    assert source["title"][0]["plain_text"] == "Renamed"


@pytest.mark.parametrize("changes", [{"Nothing": None}, {"Name": None}, {"Name": {"url": {}}}])
def test_a_change_of_columns_that_cannot_be_is_refused(notion, leads, changes):
    assert refusal(notion.data_sources.update, leads, properties=changes).code == "validation_error"


def test_a_page_keeps_every_type_and_shows_whole_minutes(notion, leads):
    page = add(
        notion, leads, Name=text("Ana", "title"), Notes=text("Hello"), Email={"email": "ana@client.example"},
        Link={"url": "https://lumen.example"}, Score={"number": 7}, **{"Opt-in": {"checkbox": True}},
        Stage={"select": {"name": "hot"}}, State={"status": {"name": "Done"}}, Phone={"phone_number": "1"},
        Booked={"date": {"start": "2026-11-25T15:00:00-05:00"}}, Kinds={"multi_select": [{"name": "a"}, {"name": "b"}]},
    )  # fmt: skip
    read = notion.pages.retrieve(page["id"])["properties"]
    assert page["created_time"] == page["last_edited_time"] == "2026-11-23T09:08:00.000Z"
    assert plain(page, "Name", "title") == "Ana"
    assert read["Notes"]["rich_text"][0]["annotations"]["bold"] is False
    assert (read["Email"]["email"], read["Score"]["number"]) == ("ana@client.example", 7)
    assert read["Opt-in"]["checkbox"] is True
    assert read["Stage"]["select"]["name"] == "hot"
    assert read["State"]["status"]["name"] == "Done"
    assert read["Booked"]["date"]["start"] == "2026-11-25T15:00:00.000-05:00"
    assert [option["name"] for option in read["Kinds"]["multi_select"]] == ["a", "b"]
    assert page["parent"]["data_source_id"] == leads


def test_an_empty_page_shows_the_empty_form_of_every_type(notion, leads):
    read = add(notion, leads)["properties"]
    assert (read["Name"]["title"], read["Kinds"]["multi_select"]) == ([], [])
    assert (read["Stage"]["select"], read["Opt-in"]["checkbox"]) == (None, False)


def test_a_patch_changes_only_what_it_names_and_null_clears(notion, leads, clock):
    page = add(notion, leads, Notes=text("Old"), Email={"email": "ana@client.example"}, Score={"number": 1})
    clock.forward(minutes=5)
    read = notion.pages.update(page["id"], properties={"Score": {"number": None}, "Notes": {"rich_text": []}})
    assert read["properties"]["Email"]["email"] == "ana@client.example"
    assert (read["properties"]["Score"]["number"], plain(read, "Notes")) == (None, "")
    assert read["last_edited_time"] == "2026-11-23T09:13:00.000Z"
    by_id = notion.pages.update(page["id"], properties={read["properties"]["Notes"]["id"]: text("New")})
    assert plain(by_id, "Notes") == "New"


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"Nope": {"number": 1}}, "Nope is not a property that exists."),
        ({"Notes": {"number": 1}}, "Notes is expected to be rich_text."),
        ({"Notes": text("x" * 3659)}, "body.properties.Notes.rich_text[0].text.content.length should be ≤ `2000`, instead was `3659`."),  # noqa: E501
        ({"Notes": text("😀" * 1001)}, "instead was `2002`"),
        ({"Notes": {"rich_text": text("x")["rich_text"] * 101}}, "rich_text.length should be ≤ `100`, instead was `101`"),  # noqa: E501
        ({"Notes": {"rich_text": "x"}}, "should be an array"),
        ({"Notes": {"rich_text": [{"text": "x"}]}}, "content should be a string"),
        ({"Notes": {"rich_text": [{"text": {"content": "x", "link": {"url": "u" * 2001}}}]}}, "link.url.length"),
        ({"Email": {"email": "e" * 201}}, "Email.email.length should be ≤ `200`"),
        ({"Link": {"url": ""}}, "Link is expected to be url"),
        ({"Score": {"number": True}}, "expected to be number"),
        ({"Opt-in": {"checkbox": None}}, "expected to be checkbox"),
        ({"Stage": {"select": {"name": "a,b"}}}, "commas"),
        ({"Stage": {"select": "new"}}, "expected to be select"),
        ({"State": {"status": {"name": "Lost"}}}, "does not exist"),
        ({"Kinds": {"multi_select": {"name": "a"}}}, "expected to be multi_select"),
        ({"Kinds": {"multi_select": [{"name": "a"}] * 101}}, "≤ `100`"),
        ({"Booked": {"date": "2026-11-25"}}, "expected to be date"),
        ({"Booked": {"date": {"start": "soon"}}}, "ISO 8601"),
    ],
)  # fmt: skip
def test_a_value_that_notion_would_refuse_is_refused(notion, leads, properties, words):
    error = refusal(add, notion, leads, **properties)
    assert (error.status, error.code) == (400, "validation_error")
    assert words in str(error)


def test_one_property_of_a_page_can_be_asked_for(notion, leads):
    page = add(notion, leads, Score={"number": 7})
    assert notion.pages.properties.retrieve(page["id"], page["properties"]["Score"]["id"])["number"] == 7
    assert refusal(notion.pages.properties.retrieve, page["id"], "nothing").status == 404


def test_an_edit_of_a_block_however_deep_is_an_edit_of_its_page(server, notion, leads, clock):
    page = add(notion, leads)
    paragraph = {"type": "paragraph", "paragraph": {"rich_text": text("a")["rich_text"]}}
    outer = notion.blocks.children.append(page["id"], children=[paragraph])["results"][0]["id"]
    clock.forward(minutes=5)
    inner = notion.blocks.children.append(outer, children=[paragraph])["results"][0]["id"]
    edited = notion.pages.retrieve(page["id"])["last_edited_time"]
    assert edited == "2026-11-23T09:13:00.000Z"
    clock.forward(minutes=5)
    notion.blocks.delete(inner)
    assert notion.pages.retrieve(page["id"])["last_edited_time"] == "2026-11-23T09:18:00.000Z"


def test_2000_utf16_units_and_100_items_are_taken_and_empty_items_dropped(notion, leads):
    items = text("😀" * 1000)["rich_text"] * 99 + text("")["rich_text"]
    page = add(notion, leads, Notes={"rich_text": items})
    assert len(page["properties"]["Notes"]["rich_text"]) == 99
    item = {"page_id": page["id"], "property_id": page["properties"]["Notes"]["id"]}
    first = notion.pages.properties.retrieve(**item, page_size=60)
    rest = notion.pages.properties.retrieve(**item, page_size=60, start_cursor=first["next_cursor"])
    assert [len(part["results"]) for part in (first, rest)] == [60, 39]
    assert first["results"][0]["rich_text"]["plain_text"] == "😀" * 1000


def test_properties_must_be_an_object(notion, leads):
    assert refusal(notion.pages.create, parent={"data_source_id": leads}, properties=[]).code == "validation_error"


def test_a_page_may_lie_below_a_page_or_in_a_single_table_database(notion):
    child = notion.pages.create(parent={"page_id": WORKSPACE_PAGE_ID}, properties={"title": text("Sub", "title")})
    assert child["parent"] == {"type": "page_id", "page_id": WORKSPACE_PAGE_ID}
    assert plain(child, "title", "title") == "Sub"
    assert notion.pages.retrieve(WORKSPACE_PAGE_ID)["parent"]["type"] == "workspace"
    row = notion.pages.create(parent={"database_id": TEMPLATES_DATABASE_ID}, properties={})
    assert row["parent"]["data_source_id"] == TEMPLATES_SOURCE_ID
    assert refusal(notion.pages.create, parent={}, properties={}).code == "validation_error"
    bad = refusal(notion.pages.create, parent={"page_id": WORKSPACE_PAGE_ID}, properties={"Notes": text("x")})
    assert bad.code == "validation_error"


def test_a_trashed_page_is_found_only_in_the_trash_and_can_be_restored(notion, leads):
    page = add(notion, leads)
    assert notion.pages.update(page["id"], in_trash=True)["archived"] is True
    assert notion.data_sources.query(leads)["results"] == []
    assert len(notion.data_sources.query(leads, in_trash=True)["results"]) == 1
    assert "archived" in str(refusal(notion.pages.update, page["id"], properties={}))
    notion.pages.update(page["id"], archived=False)
    assert len(notion.data_sources.query(leads)["results"]) == 1
    assert notion.blocks.delete(page["id"])["in_trash"] is True


def code(content):
    return {"object": "block", "type": "code", "code": {**text(content), "language": "html"}}


def test_blocks_are_kept_in_order_listed_by_pages_and_deleted(notion, leads, clock):
    page = notion.pages.create(parent={"data_source_id": leads}, properties={}, children=[code("<p>1</p>")])
    clock.forward(minutes=1)
    added = notion.blocks.children.append(page["id"], children=[code("2"), code("3")])["results"]
    notion.blocks.children.append(added[0]["id"], children=[code("2a")])
    first = notion.blocks.children.list(page["id"], page_size=2)
    assert [block["code"]["rich_text"][0]["plain_text"] for block in first["results"]] == ["<p>1</p>", "2"]
    assert [block["has_children"] for block in first["results"]] == [False, True]
    rest = notion.blocks.children.list(page["id"], start_cursor=first["next_cursor"])
    assert (len(rest["results"]), rest["has_more"], rest["type"]) == (1, False, "block")
    notion.blocks.delete(added[0]["id"])
    assert len(notion.blocks.children.list(page["id"])["results"]) == 2
    assert notion.pages.retrieve(page["id"])["last_edited_time"].startswith("2026-11-23T09:09")


@pytest.mark.parametrize(
    ("children", "words"),
    [
        ([code("x")] * 101, "children.length should be ≤ `100`"),
        ([code("x" * 2001)], "children[0].code.rich_text[0].text.content.length"),
        ([{"type": "code"}], "one type of block"),
        ({}, "an array"),
    ],
)
def test_blocks_that_notion_would_refuse_are_refused(notion, children, words):
    assert words in str(refusal(notion.blocks.children.append, WORKSPACE_PAGE_ID, children=children))


def test_what_does_not_exist_is_404_and_a_database_is_not_its_data_source(notion):
    unknown = "00000000-0000-4000-8000-000000000000"
    for call in (notion.pages.retrieve, notion.databases.retrieve, notion.blocks.children.list):
        assert refusal(call, unknown).code == "object_not_found"
    error = refusal(notion.data_sources.query, TEMPLATES_DATABASE_ID)
    assert (error.status, error.code) == (404, "object_not_found")
    assert refusal(notion.pages.retrieve, "nothing").code == "validation_error"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "unauthorized"),
        ({"Authorization": "Bearer other"}, 401, "unauthorized"),
        ({"Authorization": "Bearer secret_x"}, 400, "missing_version"),
        ({"Authorization": "Bearer ntn_x", "Notion-Version": "2022-06-28"}, 400, "missing_version"),
    ],
)
def test_a_call_needs_a_token_and_the_version(server, headers, status, code):
    answer = requests.get(server.notion_url + "/v1/users/me", headers=headers, timeout=patient(5))
    assert (answer.status_code, answer.json()["code"], answer.json()["object"]) == (status, code, "error")


def test_bad_json_and_unknown_paths_are_answered_in_notions_form(server):
    good = {"Authorization": "Bearer ntn_x", "Notion-Version": "2025-09-03"}
    answer = requests.post(server.notion_url + "/v1/pages", data="{", headers=good, timeout=patient(5))
    assert answer.json()["code"] == "invalid_json"
    answer = requests.get(server.notion_url + "/v1/nothing", headers=good, timeout=patient(5))
    assert answer.json()["code"] == "invalid_request_url"


def test_a_token_can_be_made_wrong_and_a_rate_set(server, notion, clock):
    control(server, {"notion.wrong_tokens": ["ntn_sandbox"]})
    assert refusal(notion.users.me).code == "unauthorized"
    clock.forward(seconds=1)
    control(server, {"notion": {"wrong_tokens": [], "rate_per_second": 1, "latency_s": 0.001}})
    notion.users.me()
    error = refusal(notion.users.me)
    assert (error.code, error.headers["retry-after"]) == ("rate_limited", "1")


def test_scripted_refusals_are_used_once_each(server, notion):
    faults = [
        {"status": 503},
        {"code": "conflict_error"},
        {"status": 429, "retry_after": 9},
        {"status": 502, "body": "<p>"},
    ]
    control(server, {"notion.fail": faults})
    assert refusal(notion.users.me).status == 503
    assert refusal(notion.users.me).code == "conflict_error"
    assert refusal(notion.users.me).headers["retry-after"] == "9"
    assert not isinstance(refusal(notion.users.me), APIResponseError)
    assert notion.users.me()["object"] == "user"


def test_a_write_can_be_done_though_its_answer_is_lost_or_late(server, notion, leads):
    control(server, {"notion.fail": [{"lost_answer": True}, {"hang_s": 0.01, "accept": True}]})
    with pytest.raises(httpx.HTTPError):
        add(notion, leads, Name=text("Lost", "title"))
    assert plain(add(notion, leads, Name=text("Late", "title")), "Name", "title") == "Late"
    assert len(notion.data_sources.query(leads)["results"]) == 2


def test_a_lasting_fault_stays_until_it_is_cleared(server, notion):
    control(server, {"notion.fail_always": {"drop": True}})
    for _ in range(2):
        with pytest.raises(httpx.HTTPError):
            notion.users.me()
    control(server, {"notion.fail_always": None})
    assert notion.users.me()["object"] == "user"


def test_a_property_is_read_whole_by_itself_over_pages_of_a_list(notion):
    items = [{"type": "text", "text": {"content": f"{number} "}} for number in range(60)]
    page = add(notion, TEMPLATES_SOURCE_ID, **{"Email Body HTML": {"rich_text": items}})
    body = page["properties"]["Email Body HTML"]
    first = notion.pages.properties.retrieve(page["id"], body["id"], page_size=50)
    assert (first["type"], first["has_more"], len(first["results"])) == ("property_item", True, 50)
    rest = notion.pages.properties.retrieve(page["id"], body["id"], page_size=50, start_cursor=first["next_cursor"])
    told = [item["rich_text"]["plain_text"] for item in [*first["results"], *rest["results"]]]
    assert told == [f"{number} " for number in range(60)]
    status = notion.pages.properties.retrieve(page["id"], page["properties"]["Status"]["id"])
    assert (status["object"], status["type"], status["select"]) == ("property_item", "select", None)
    with pytest.raises(APIResponseError, match="Could not find property"):
        notion.pages.properties.retrieve(page["id"], "nothing")


def test_the_desk_shows_every_row_to_a_person_and_to_programs(server):
    state = server.sandbox.notion
    source = state.sources[state.databases[CONTACTS_DATABASE_ID].source_ids[0]]
    source.properties |= read_schema({"Score": {"number": {}}, "Since": {"date": {}}, "VIP": {"checkbox": {}}})
    since = {"start": "2026-11-24T12:00:00+00:00"}
    values = {"Name": [text_item("Ana " * 40)], "Email": "a@b.example", "Score": 38.0, "Since": since, "VIP": True}
    at = server.sandbox.now()
    state.pages["p"] = Page("p", source.id, source.id, values, at, at)
    (row,) = requests.get(server.url + "/control/notion/tables", timeout=patient(5)).json()["Contacts"]
    assert row == {
        "Name": ("Ana " * 40)[:79] + "…", "Email": "a@b.example", "Notes": "", "Score": "38",
        "Since": "2026-11-24 12:00", "VIP": "✓",
    }  # fmt: skip
    shown = requests.get(server.url + "/desk", timeout=patient(5)).text
    assert "a@b.example" in shown and "No row yet" in shown and "Email Sequence" in shown
