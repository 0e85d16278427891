"""JSON APIs of others: whatever comes back instead of JSON in time is one sentence, and never a traceback."""

import re
import socket

import pytest
import requests
import responses

from funnel_app.deploy.coolify_api import Coolify
from funnel_app.gateways.connecting import NO_CERTIFICATES
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.http.calendly import Calendly
from funnel_app.gateways.http.chat import Alerts
from funnel_app.gateways.http.json_api import ask, call
from funnel_app.gateways.http.public_url import PublicUrlProbe
from funnel_app.gateways.http.receivers import Receivers
from sandbox.processes import ROOT
from tests.gateways.dripping import DRIPS, saying

URL = "https://api.example/v1/things"
# Who makes the session that gives up in time.
OTHERS = {"gateways/http/prompt.py"}


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ({"body": "<html>Sign in</html>"}, Unavailable, "/v1/things answers 200 with something else than JSON"),
        ({"status": 301, "headers": {"Location": "https://new.example/"}}, Rejected, "moved to https://new.example/"),
        ({"status": 401, "json": {"title": "No", "message": "The token is wrong"}}, Rejected, "401 The token is wrong"),
        ({"status": 422, "json": {"message": "No", "errors": {"name": ["short", "!"]}}}, Rejected, "422 No name: s"),
        ({"status": 404, "body": "<html>"}, Rejected, "GET /v1/things: 404 Not Found"),
        ({"status": 429, "json": []}, Unavailable, "429"),
        ({"status": 503, "body": "<html>"}, Unavailable, "503 Service Unavailable"),
        ({"body": requests.ConnectionError("no route")}, Unavailable, "cannot be reached: ConnectionError"),
    ],
)  # fmt: skip
@responses.activate
def test_an_answer_that_is_none_says_what_is_wrong(answer, kind, words):
    responses.get(URL, **answer)
    with pytest.raises(kind, match=re.escape(words)):
        ask("them", "GET", URL, 1.0)


@responses.activate
def test_an_empty_answer_says_nothing():
    responses.delete(URL, status=204)
    assert ask("them", "DELETE", URL, 1.0) == {}


@pytest.mark.parametrize("pieces", DRIPS.values(), ids=DRIPS)
def test_one_that_comes_byte_by_byte_is_given_up_in_time(pieces):
    with saying(pieces) as (url, said), pytest.raises(Unavailable, match="cannot be reached"):
        call("them", "GET", url, 0.1)
    assert len(said) < len(pieces)


def test_one_that_comes_byte_by_byte_through_a_proxy_is_given_up_in_time(monkeypatch):
    pieces = DRIPS["body"]
    with saying(pieces) as (proxy, said):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        with pytest.raises(Unavailable, match="cannot be reached"):
            call("them", "GET", "http://api.example/", 0.1)
    assert len(said) < len(pieces)


@pytest.mark.parametrize("reach", [lambda url: Receivers().post(url, b"{}", {}), lambda url: Alerts().ping(url)])
def test_why_a_chat_or_a_receiver_is_away_is_said_without_its_address(reach):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unavailable) as away:
        reach(f"http://127.0.0.1:{port}/secret")
    assert away.value.message == "cannot be reached: Connection refused"


@pytest.mark.parametrize(
    "reach",
    [
        lambda: call("them", "GET", URL, 1.0),
        lambda: Receivers().post(URL, b"{}", {}),
        lambda: Alerts().ping(URL),
    ],
    ids=["an API", "a receiver", "a chat"],
)
def test_a_file_of_certificates_that_is_not_there_is_said(monkeypatch, reach):
    """Requests opens it before it connects, and raises what is no exception of its own."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(Unavailable, match=f"cannot be reached: {NO_CERTIFICATES}"):
        reach()


@responses.activate
def test_our_token_goes_out_whatever_stands_in_netrc(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine api.example login nora password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    responses.get(URL, json={}, match=[responses.matchers.header_matcher({"Authorization": "Bearer ours"})])
    assert ask("them", "GET", URL, 1.0, headers={"Authorization": "Bearer ours"}) == {}


@pytest.mark.parametrize(
    "asked",
    [
        lambda url: Calendly("t", url).find_subscriptions(),
        lambda url: Coolify(url, "t").servers(),
        lambda url: PublicUrlProbe(url, "s").sign_up("christmas", {}),
    ],
    ids=["Calendly", "Coolify", "our own address"],
)
@responses.activate
def test_a_page_where_an_api_was_expected_is_told(asked):
    for method in (responses.GET, responses.POST):
        responses.add(method, re.compile("https://moved.example/.*"), body="<html>This domain is for sale</html>")
    with pytest.raises(Unavailable, match=r"moved.example/.* answers 200 with something else than JSON"):
        asked("https://moved.example")


def test_no_call_goes_out_without_a_time_for_all_of_it():
    files = (ROOT / "funnel_app").rglob("*.py")
    bare = re.compile(r"(?ms)^import requests$.*\brequests\.(?:Session|request|get|post|put|patch|delete|head)\(")
    assert {str(file.relative_to(ROOT / "funnel_app")) for file in files if bare.search(file.read_text())} == OTHERS
