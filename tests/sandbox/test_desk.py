"""The desk: the owner's templates are written, changed and thrown away there, and rows hold wishes, as in Notion."""

import re
import threading
from types import SimpleNamespace

import pytest
import requests

from sandbox import stack
from sandbox.notion.json import PERSON
from sandbox.notion.state import SEQUENCES_DATABASE_ID
from tests.pace import patient

BODY = "<p>Hi {{ first_name }}</p>\r\n" + "x" * 5000


def save(server, page, **fields):
    given = {"Template Name": "spring_email_1", "Subject Line": "Hi", "Email Body HTML": BODY, "Status": "Active"}
    return requests.post(f"{server.url}/desk/templates/{page}", data=given | fields, timeout=patient(5))


def written(server) -> dict[str, str]:
    """Every template on the desk: its name and its page."""
    found = re.findall(
        r'href="/desk/templates/([^"]{36})">([^<]+)<', requests.get(server.url + "/desk", timeout=patient(5)).text
    )
    return {name: page for page, name in found}


def test_a_template_is_written_changed_and_deleted(server, notion):
    assert save(server, "new").url == f"{server.url}/desk"
    page = written(server)["spring_email_1"]
    body = notion.pages.retrieve(page)["properties"]["Email Body HTML"]["rich_text"]
    assert "".join(item["plain_text"] for item in body) == BODY.replace("\r\n", "\n")
    assert all(len(item["plain_text"]) <= 2000 for item in body)

    save(server, page, **{"Subject Line": "Hello & welcome", "Status": "Draft"})
    shown = requests.get(f"{server.url}/desk/templates/{page}", timeout=patient(5)).text
    assert requests.get(f"{server.url}/notion/{page.replace('-', '')}", timeout=patient(5)).text == shown, (
        "as the console links"
    )
    assert "Hello &amp; welcome" in shown and "<option selected>Draft" in shown and "{{ first_name }}" in shown

    save(server, page, delete="1")
    assert "spring_email_1" not in written(server)
    assert requests.get(f"{server.url}/desk/templates/{page}", timeout=patient(5)).status_code == 404


def test_a_person_wishes_in_a_row_as_in_notion(server, notion):
    source = notion.databases.retrieve(SEQUENCES_DATABASE_ID)["data_sources"][0]["id"]
    notion.data_sources.update(source, properties={"Wish": {"select": {"options": [{"name": "Pause"}]}}})
    page = notion.pages.create(parent={"type": "data_source_id", "data_source_id": source}, properties={})["id"]
    desk = f"{server.url}/desk/rows/{page}"
    assert desk.removeprefix(server.url) in requests.get(f"{server.url}/desk", timeout=patient(5)).text
    assert "<option>Pause" in requests.get(desk, timeout=patient(5)).text
    requests.post(desk, data={"Wish": "Pause"}, timeout=patient(5))
    found = notion.pages.retrieve(page)
    assert found["properties"]["Wish"]["select"]["name"] == "Pause" and found["last_edited_by"] == PERSON
    assert notion.users.retrieve(PERSON["id"])["person"]["email"] == "olga@example.com"


def test_the_row_of_a_person_is_waited_for_and_one_that_never_comes_is_named(server, notion, monkeypatch):
    funnel = stack.Stack(SimpleNamespace(), SimpleNamespace(), "", server.url)
    (source,) = notion.databases.retrieve(SEQUENCES_DATABASE_ID)["data_sources"]
    notion.data_sources.update(source["id"], properties={"Email": {"email": {}}})
    monkeypatch.setattr(stack, "TOLD_WITHIN_S", 0)
    with pytest.raises(LookupError, match=r"mia@example\.com has no row in Email Sequence"):
        funnel.page_of("Email Sequence", "mia@example.com")

    parent = {"type": "data_source_id", "data_source_id": source["id"]}
    properties = {"Email": {"email": "mia@example.com"}}
    late = threading.Timer(0.3, notion.pages.create, kwargs={"parent": parent, "properties": properties})
    late.start()
    monkeypatch.setattr(stack, "TOLD_WITHIN_S", patient(30))
    page = funnel.page_of("Email Sequence", "mia@example.com")
    late.join()
    assert notion.pages.retrieve(page)["properties"]["Email"]["email"] == "mia@example.com"
