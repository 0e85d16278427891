"""A call of which no byte left did certainly not go out, and no word of a library about it shows the key."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from funnel_app.flows.monitoring.check import Status
from funnel_app.flows.monitoring.doctor import examine
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.resend.account import Account
from funnel_app.gateways.resend.mailer import AnswerKind, Mailer
from funnel_app.redact import redactor
from tests.factories import make_settings

API = "https://resend.stand-in.example"
ONE = {"from": "Nora <nora@lumen.example>", "to": ["ana@client.example"], "subject": "Notes", "text": "Hi"}
KEYS = ["re_AbCd1234\n", "re_AbCd1234\r\nX: y", "re_AbCd\u200b1234", "re_AbCd\u20131234"]


@contextmanager
def answering(said: bytes) -> Iterator[int]:
    """A server that says one thing to whoever connects, and hangs up; its port."""

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def send(key: str = "re_stand_in", url: str = API):
    mailer = Mailer(key, url, timeout_s=2.0)
    try:
        return mailer.send([ONE], "email-1-1")
    finally:
        mailer.close()


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_no_header_takes_pauses_sending_names_the_setting_and_is_not_shown(key):
    with answering(b"") as port:
        answer = send(key, f"http://127.0.0.1:{port}")
        with pytest.raises(Rejected, match="RESEND_API_KEY") as refused:
            Account(lambda: None).domains()
    assert answer.kind is AnswerKind.PAUSED
    assert "RESEND_API_KEY" in answer.detail and "AbCd" not in answer.detail
    assert "AbCd" not in str(refused.value)


@pytest.mark.parametrize("status", [403, 407, 502, 503])
def test_a_proxy_that_refuses_the_tunnel_let_nothing_out(monkeypatch, status):
    with answering(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        answer = send()
    assert answer.kind is AnswerKind.UNREACHABLE
    assert "HTTPS_PROXY" in answer.detail and str(status) in answer.detail


def test_a_missing_file_of_certificates_let_nothing_out(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    answer = send()
    assert (answer.kind, "REQUESTS_CA_BUNDLE" in answer.detail) == (AnswerKind.UNREACHABLE, True)


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28", b""])
def test_a_tls_handshake_that_fails_let_nothing_out(said):
    with answering(said) as port:
        answer = send(url=f"https://127.0.0.1:{port}")
    assert answer.kind is AnswerKind.UNREACHABLE
    assert answer.detail and "HTTPSConnection" not in answer.detail


def test_a_plain_answer_that_breaks_off_after_the_request_proves_nothing():
    with answering(b"") as port:
        answer = send(url=f"http://127.0.0.1:{port}")
    assert answer.kind is AnswerKind.UNKNOWN


@pytest.mark.parametrize("token", ["ntn_AbCd1234\n", "ntn_AbCd\u200b1234"])
def test_a_token_that_no_header_takes_is_named_and_not_shown(token):
    with answering(b"") as port:
        calls = NotionCalls(token, f"http://127.0.0.1:{port}", 1.0)
        with pytest.raises(Rejected, match="NOTION_TOKEN") as refused:
            calls.read(calls.client.users.me)
        calls.close()
    assert "AbCd" not in str(refused.value)


def test_a_write_that_a_proxy_refused_is_not_in_doubt():
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ProxyError("403 Forbidden")

    calls = NotionCalls("ntn_1", transport=httpx.MockTransport(refuse))
    with pytest.raises(Unavailable) as away:
        calls.write(calls.client.pages.create, parent={}, properties={})
    assert not away.value.in_doubt


def test_a_secret_is_hidden_in_every_spelling_of_a_library():
    redact = redactor(make_settings(console_password="pass\u200bword/1\n"))
    said = "Invalid header 'pass\\u200bword/1\\n', pass%E2%80%8Bword%2F1%0A, pass\u200bword/1\n"
    assert redact(said) == "Invalid header '***', ***, ***"


def test_the_doctor_shows_no_secret_whatever_a_library_says(deps, monkeypatch):
    secret = deps.settings.console_password

    def leak() -> None:
        raise RuntimeError(f"Invalid header value: 'Bearer {secret}'")

    monkeypatch.setattr(deps.account, "domains", leak)
    found = {check.name: check for check in examine(deps)}[
        "resend key, from domain, resend webhook, resend quota, resend rate, replies"
    ]
    assert found.status is Status.FAULT and secret not in found.detail + found.fix
