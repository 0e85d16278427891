"""Errors to people: a browser gets a page with the request's id, and whoever posts to a hook a problem document."""

import pytest

from tests.apps import application
from tests.factories import make_deps
from tests.web.callers import SIGNUP, post

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
# What HttpURLConnection of Java says of itself, whatever it wants:
# https://docs.oracle.com/javase/8/docs/api/java/net/HttpURLConnection.html
JAVA = "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"


@pytest.fixture
def client_without_ledger(sqlite, tmp_path):
    """A client of an application whose ledger is an empty file."""
    deps = make_deps(sqlite)
    with sqlite.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE contacts RENAME TO away")
    return application(deps).test_client()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_reader_of_an_email_sees_a_page_while_the_ledger_is_away(client_without_ledger, method):
    given = {"Accept": CHROMIUM, "X-Request-Id": "r-7"}
    answer = getattr(client_without_ledger, method)("/u/a-token-of-somebody", headers=given)
    assert (answer.status_code, answer.mimetype, answer.headers["Retry-After"]) == (503, "text/html", "60")
    assert "We could not do this just now" in answer.text and "r-7" in answer.text
    assert "ledger" not in answer.text and "unsubscribe" in answer.text


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/metrics/nothing", 404), (SIGNUP, 405), ("/api/flow_runs/x", 401)]
)
def test_a_browser_gets_every_error_as_a_page(client, path, status):
    answer = client.get(path, headers={"Accept": CHROMIUM, "X-Request-Id": "r-8"})
    assert (answer.status_code, answer.mimetype, answer.headers["Vary"]) == (status, "text/html", "Accept")
    assert "r-8" in answer.text and "<h1>" in answer.text
    assert "URL" not in answer.text and "method" not in answer.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", JAVA, "text/html;q=0, */*", ""])
def test_a_machine_gets_a_problem_document_whatever_it_says_of_itself(client, accept):
    answers = [post(client, {"email": "nobody"}, Accept=accept)]
    answers += [client.get("/nowhere", headers={"Accept": accept})] if accept != JAVA else []
    assert {answer.content_type for answer in answers} == {"application/problem+json"}


def test_the_front_door_leads_to_the_console(client):
    answer = client.get("/")
    assert (answer.status_code, answer.location) == (302, "/console/")
    assert client.post("/").status_code == 404, "what posts there has the wrong address"
