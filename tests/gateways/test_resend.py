"""What the real SDK makes of Resend's answers, and what we make of that."""

import json
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import resend
import responses
from resend.exceptions import ResendError
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, SSLError

from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.resend.inbox import Inbox, headers_of
from funnel_app.gateways.resend.mailer import Answer, AnswerKind, Mailer
from sandbox.redis_server import free_port
from tests.gateways.dripping import DRIPS, saying

API = "https://resend.stand-in.example"
ONE = {"from": "Nora <nora@lumen.example>", "to": ["ana@client.example"], "subject": "Notes", "text": "Hi"}
TWO = {**ONE, "to": ["bo@client.example"]}
THREE = {**ONE, "to": ["cy@client.example"]}
NOW = datetime(2026, 11, 29, 22, 0, 0, tzinfo=UTC)
KEY = "email-1-1"


@pytest.fixture
def mailer() -> Iterator[Mailer]:
    built = Mailer("re_stand_in", API + "/", now=lambda: NOW)
    yield built
    built.close()


@pytest.fixture
def api() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def error(status: int, name: str, message: str = "No.") -> dict[str, Any]:
    return {"status": status, "json": {"statusCode": status, "name": name, "message": message}}


def test_one_email_is_one_post_with_its_key_and_the_answer_has_its_id(
    mailer: Mailer, api: responses.RequestsMock
) -> None:
    limits = {"ratelimit-limit": "10", "ratelimit-policy": "10;w=1"}
    api.post(f"{API}/emails", json={"id": "r-1"}, headers=limits)
    assert mailer.send([ONE], KEY) == Answer(AnswerKind.ACCEPTED, ids=("r-1",), rate=10.0)
    sent = api.calls[0].request
    assert json.loads(sent.body) == ONE
    assert (sent.headers["Idempotency-Key"], sent.headers["Authorization"]) == (KEY, "Bearer re_stand_in")
    assert sent.headers["User-Agent"].startswith("resend-python")


def test_several_emails_are_one_permissive_batch(mailer: Mailer, api: responses.RequestsMock) -> None:
    api.post(f"{API}/emails/batch", json={"data": [{"id": "r-1"}, {"id": "r-2"}]})
    assert mailer.send([ONE, TWO], KEY) == Answer(AnswerKind.ACCEPTED, ids=("r-1", "r-2"))
    sent = api.calls[0].request
    assert json.loads(sent.body) == [ONE, TWO]
    assert (sent.headers["Idempotency-Key"], sent.headers["x-batch-validation"]) == (KEY, "permissive")


def test_ids_of_a_batch_stay_with_their_emails_when_others_are_refused(
    mailer: Mailer, api: responses.RequestsMock
) -> None:
    refused = [{"index": 1, "message": "The `to` field must be valid."}]
    api.post(f"{API}/emails/batch", json={"data": [{"id": "r-1"}, {"id": "r-3"}], "errors": refused})
    answer = mailer.send([ONE, TWO, THREE], KEY)
    assert answer.ids == ("r-1", None, "r-3")
    assert answer.refused == {1: "The `to` field must be valid."}


def test_a_batch_refused_for_the_account_pauses_and_fails_nothing(mailer: Mailer, api: responses.RequestsMock) -> None:
    words = "The lumen.example domain is not verified."
    api.post(f"{API}/emails/batch", json={"data": [], "errors": [{"index": i, "message": words} for i in (0, 1)]})
    answer = mailer.send([ONE, TWO], KEY)
    assert (answer.kind, answer.detail) == (AnswerKind.PAUSED, words)


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": "r-1"}]},
        {"data": [{"id": "r-1"}, {}]},
        {"data": [{"id": "r-1"}, "r-2"]},
        {"data": "r-1 r-2"},
        {"data": [{"id": "r-1"}], "errors": [{"index": 7, "message": "?"}]},
        {"data": [{"id": "r-1"}], "errors": [{"message": "?"}]},
        {"data": [{"id": "r-1"}], "errors": 1},
        ["r-1", "r-2"],
        None,
    ],
)
def test_a_batch_answer_that_does_not_add_up_is_unknown(
    mailer: Mailer, api: responses.RequestsMock, body: object
) -> None:
    api.post(f"{API}/emails/batch", json=body)
    assert mailer.send([ONE, TWO], KEY).kind is AnswerKind.UNKNOWN


ANSWERS = [
    (400, "invalid_idempotency_key", "No.", AnswerKind.INVALID),
    (400, "validation_error", "No.", AnswerKind.INVALID),
    (400, "validation_error", "API key is invalid", AnswerKind.PAUSED),
    (401, "missing_api_key", "No.", AnswerKind.PAUSED),
    (401, "restricted_api_key", "This key is restricted.", AnswerKind.PAUSED),
    (401, "validation_error", "API key is invalid", AnswerKind.PAUSED),
    (403, "invalid_api_key", "No.", AnswerKind.PAUSED),
    (403, "validation_error", "The lumen.example domain is not verified.", AnswerKind.PAUSED),
    (403, "suspended_api_key", "No.", AnswerKind.PAUSED),
    (403, "email_above_quota", "No.", AnswerKind.PAUSED),
    (404, "not_found", "No.", AnswerKind.INVALID),
    (405, "method_not_allowed", "No.", AnswerKind.INVALID),
    (408, "request_timeout", "No.", AnswerKind.UNKNOWN),
    (409, "invalid_idempotent_request", "No.", AnswerKind.CONFLICT),
    (409, "something_new", "No.", AnswerKind.CONFLICT),
    (409, "concurrent_idempotent_requests", "No.", AnswerKind.CONCURRENT),
    (409, "resource_locked", "No.", AnswerKind.CONCURRENT),
    (422, "validation_error", "The `to` field must be valid.", AnswerKind.INVALID),
    (422, "missing_required_field", "No.", AnswerKind.INVALID),
    (422, "invalid_parameter", "No.", AnswerKind.INVALID),
    (422, "invalid_from_address", "No.", AnswerKind.PAUSED),
    (422, "validation_error", "Invalid `reply_to` field. The email address needs to follow …", AnswerKind.PAUSED),
    (422, "validation_error", "Invalid `from` field.", AnswerKind.PAUSED),
    (422, "validation_error", "Invalid `to` field.", AnswerKind.INVALID),
    (422, "validation_error", "Please verify your domain first.", AnswerKind.PAUSED),
    (429, "rate_limit_exceeded", "Slow down.", AnswerKind.RATE_LIMITED),
    (429, "daily_quota_exceeded", "No.", AnswerKind.QUOTA),
    (429, "monthly_quota_exceeded", "No.", AnswerKind.QUOTA),
    (451, "security_error", "No.", AnswerKind.PAUSED),
    (500, "application_error", "No.", AnswerKind.UNKNOWN),
    (500, "internal_server_error", "No.", AnswerKind.UNKNOWN),
    (503, "service_unavailable", "No.", AnswerKind.UNKNOWN),
]


@pytest.mark.parametrize(("status", "name", "message", "kind"), ANSWERS)
@pytest.mark.parametrize("emails", [[ONE], [ONE, TWO]], ids=["single", "batch"])
def test_every_error_of_resend_has_one_meaning(
    mailer: Mailer,
    api: responses.RequestsMock,
    emails: list[dict[str, object]],
    status: int,
    name: str,
    message: str,
    kind: AnswerKind,
) -> None:
    api.post(f"{API}/emails" + "/batch" * (len(emails) > 1), **error(status, name, message))
    answer = mailer.send(emails, KEY)
    assert answer.kind is kind
    assert (answer.ids, dict(answer.refused)) == ((), {})
    assert name in answer.detail and str(status) in answer.detail


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("rate_limit_exceeded", 2.0), ("daily_quota_exceeded", 2 * 3600), ("monthly_quota_exceeded", 26 * 3600)],
)
def test_a_429_says_when_to_come_again(mailer: Mailer, api: responses.RequestsMock, name: str, seconds: float) -> None:
    headers = {"Retry-After": "2", "RateLimit-Limit": "5"}
    api.post(f"{API}/emails", **error(429, name), headers=headers)
    answer = mailer.send([ONE], KEY)
    assert (answer.retry_after, answer.rate) == (seconds, 5.0)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 200, "body": "<html>ok</html>", "content_type": "text/html"}, AnswerKind.UNKNOWN),
        ({"status": 200, "body": "{", "content_type": "application/json"}, AnswerKind.UNKNOWN),
        ({"status": 200, "json": {"object": "email"}}, AnswerKind.UNKNOWN),
        ({"status": 200, "body": "null", "content_type": "application/json"}, AnswerKind.UNKNOWN),
        ({"status": 200, "json": {"statusCode": "odd", "message": "?"}}, AnswerKind.UNKNOWN),
        ({"status": 302, "body": "", "headers": {"Location": f"{API}/other"}}, AnswerKind.UNKNOWN),
        ({"status": 404, "body": "<html>", "content_type": "text/html"}, AnswerKind.UNKNOWN),
        ({"status": 502, "body": "<html>", "content_type": "text/html"}, AnswerKind.UNKNOWN),
        ({"status": 403, "body": "error code: 1010", "content_type": "text/plain"}, AnswerKind.PAUSED),
        ({"status": 429, "body": "slow", "content_type": "text/plain"}, AnswerKind.RATE_LIMITED),
    ],
)
def test_an_answer_that_cannot_be_read_proves_nothing(
    mailer: Mailer, api: responses.RequestsMock, answer: dict[str, Any], kind: AnswerKind
) -> None:
    api.post(f"{API}/emails", **answer)
    assert mailer.send([ONE], KEY).kind is kind


def refused_connection(reason: Exception) -> requests.ConnectionError:
    return requests.ConnectionError(MaxRetryError(None, "/emails", reason))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (refused_connection(NewConnectionError(None, "refused")), AnswerKind.UNREACHABLE),  # type: ignore[arg-type]
        (requests.ConnectTimeout("slow"), AnswerKind.UNREACHABLE),
        (
            requests.exceptions.SSLError(
                MaxRetryError(None, "/emails", SSLError(ssl.SSLCertVerificationError("expired")))  # type: ignore[arg-type]
            ),
            AnswerKind.UNREACHABLE,
        ),
        (requests.exceptions.SSLError("broken record"), AnswerKind.UNKNOWN),
        (requests.ReadTimeout("slow"), AnswerKind.UNKNOWN),
        (requests.ConnectionError(ProtocolError("aborted", ConnectionResetError())), AnswerKind.UNKNOWN),
        (requests.exceptions.ChunkedEncodingError("cut"), AnswerKind.UNKNOWN),
    ],
)
def test_only_a_connection_never_made_is_certain_to_have_sent_nothing(
    mailer: Mailer, api: responses.RequestsMock, failure: Exception, kind: AnswerKind
) -> None:
    api.post(f"{API}/emails", body=failure)
    assert mailer.send([ONE], KEY).kind is kind


def test_a_port_that_nobody_listens_on_is_unreachable() -> None:
    mailer = Mailer("re_stand_in", f"http://127.0.0.1:{free_port()}")
    assert mailer.send([ONE], KEY).kind is AnswerKind.UNREACHABLE


def test_a_server_that_takes_the_request_and_says_nothing_is_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mailer = Mailer("re_stand_in", f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.2)
        assert mailer.send([ONE], KEY).kind is AnswerKind.UNKNOWN
        mailer.close()


@pytest.mark.parametrize("pieces", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_comes_byte_by_byte_is_given_up_in_time_and_is_unknown(pieces: list[bytes]) -> None:
    with saying(pieces) as (url, said):
        mailer = Mailer("re_stand_in", url, timeout_s=0.2)
        assert mailer.send([ONE], KEY).kind is AnswerKind.UNKNOWN
        mailer.close()
    assert len(said) < len(pieces)


def test_a_netrc_does_not_replace_the_key(
    mailer: Mailer, api: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login other password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    api.post(f"{API}/emails", json={"id": "r-1"})
    mailer.send([ONE], KEY)
    assert api.calls[0].request.headers["Authorization"] == "Bearer re_stand_in"


def test_one_connection_is_kept_within_a_process_and_none_is_shared_with_a_fork(
    mailer: Mailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = resend.default_http_client
    ours = client._session()  # type: ignore[union-attr]
    assert client._session() is ours  # type: ignore[union-attr]
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert client._session() is not ours  # type: ignore[union-attr]


def test_sending_nothing_is_a_mistake_of_the_caller(mailer: Mailer) -> None:
    with pytest.raises(ValueError, match="nothing to send"):
        mailer.send([], KEY)


@pytest.mark.parametrize(
    ("answer", "event"),
    [
        ({"json": {"object": "email", "id": "r-1", "last_event": "delivered"}}, "delivered"),
        ({"json": {"object": "email", "id": "r-1"}}, None),
        (error(404, "not_found"), None),
    ],
)
def test_the_last_event_is_resends_word_or_none(
    mailer: Mailer, api: responses.RequestsMock, answer: dict[str, Any], event: str | None
) -> None:
    api.get(f"{API}/emails/r-1", **answer)
    assert mailer.last_event("r-1") == event


@pytest.mark.parametrize("name", ["restricted_api_key", "missing_api_key"])
def test_a_key_that_may_only_send_cannot_ask(mailer: Mailer, api: responses.RequestsMock, name: str) -> None:
    api.get(f"{API}/emails/r-1", **error(401, name))
    with pytest.raises(Rejected) as refused:
        mailer.last_event("r-1")
    assert refused.value.code == name


@pytest.mark.parametrize(
    ("answer", "retry_after"),
    [
        ({**error(429, "rate_limit_exceeded"), "headers": {"retry-after": "3"}}, 3.0),
        (error(503, "service_unavailable"), None),
        ({"body": "null", "content_type": "application/json"}, None),
        ({"body": requests.ReadTimeout("slow")}, None),
        ({"body": refused_connection(NewConnectionError(None, "refused"))}, None),  # type: ignore[arg-type]
    ],
)
def test_asking_again_later_may_help(
    mailer: Mailer, api: responses.RequestsMock, answer: dict[str, Any], retry_after: float | None
) -> None:
    api.get(f"{API}/emails/r-1", **answer)
    with pytest.raises(Unavailable) as away:
        mailer.last_event("r-1")
    assert away.value.retry_after == retry_after


def test_the_sdk_lists_no_other_error_class_than_its_own_root() -> None:
    """Answers are read from status and name; that holds while every class of the SDK is a ResendError."""
    known = [found for found in vars(resend.exceptions).values() if isinstance(found, type)]
    assert {found for found in known if issubclass(found, Exception)} - {resend.exceptions.NoContentError} == {
        found for found in known if issubclass(found, ResendError)
    }


def test_an_answer_that_is_too_large_is_not_taken_in_and_asked_for_no_more(
    mailer: Mailer, api: responses.RequestsMock
) -> None:
    api.get(f"{API}/emails/receiving/in-1", body=b"x" * 9_000_000)
    with pytest.raises(Rejected) as refused:
        Inbox(lambda: NOW).read("in-1")
    assert refused.value.code == "too_large"


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ({"From": "a", "X-Loop": ["b", "c"], "x-loop": "d"}, {"from": "a", "x-loop": "b\nc\nd"}),
        ([{"name": "To", "value": "a"}, "x", {"name": "to", "value": "b"}], {"to": "a\nb"}),
        ({"X-Autoreply": None, "To": [None, "a"]}, {"to": "a"}),
        (None, {}),
        ("From: a", {}),
    ],
)
def test_headers_are_read_in_whatever_form_they_come(told: object, read: dict[str, str]) -> None:
    assert headers_of(told) == read
