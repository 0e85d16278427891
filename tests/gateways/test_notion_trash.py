"""A page goes to the trash once, and one that is gone already is as it should be."""

import pytest

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.notion.templates import NotionTemplates
from sandbox.server import serve

STRANGER = "00000000-0000-4000-8000-00000000dead"


@pytest.fixture
def server():
    with serve() as running:
        yield running


def test_a_page_is_moved_to_the_trash_again_and_again(server):
    notebook = NotionTemplates("ntn_test", "5a2b0d00-0000-4000-8000-000000000001", f"{server.url}/notion")
    page = notebook.create_template("a-key", "Hello", "<p>Hi</p>")
    for _ in range(2):
        notebook.trash_page(page.id)
    assert notebook.find_templates("a-key") == []
    notebook.trash_page(STRANGER)
    notebook.close()


def test_where_notion_refuses_the_token_it_is_said(server):
    with server.sandbox.lock:
        server.sandbox.settings.notion.wrong_tokens.append("ntn_wrong")
    notebook = NotionTemplates("ntn_wrong", "5a2b0d00-0000-4000-8000-000000000001", f"{server.url}/notion")
    with pytest.raises(Rejected):
        notebook.trash_page(STRANGER)
    notebook.close()
