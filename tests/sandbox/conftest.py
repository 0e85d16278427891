"""A running sandbox, the real SDKs pointed at it, and a receiver of webhooks."""

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import notion_client
import pytest
import requests
import resend

from funnel_app.gateways.notion.client import TRUST
from sandbox.server import Server, serve
from sandbox.state import Config
from tests.pace import patient


class Clock:
    """A moment that only moves when told to."""

    def __init__(self) -> None:
        self.reset()

    def __call__(self) -> datetime:
        return self.moment

    def reset(self) -> None:
        self.moment = datetime(2026, 11, 23, 9, 8, 30, tzinfo=UTC)

    def forward(self, **span: float) -> None:
        self.moment += timedelta(**span)


class Receiver:
    """Takes webhooks, answers as scripted (then 200), and lets a test wait for them."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.received: list[tuple[dict[str, str], str]] = []
        self.arrived = threading.Condition()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                with receiver.arrived:
                    receiver.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
                    status = receiver.answers.pop(0) if receiver.answers else 200
                    receiver.arrived.notify_all()
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def wait_for(self, number: int) -> list[tuple[dict[str, str], str]]:
        """Return the first webhooks once there are that many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.received) >= number, patient(10)), self.received
            return self.received[:number]

    def events(self, number: int) -> list[dict[str, Any]]:
        """Return the bodies of the first webhooks, each proven by the SDK."""
        return [proven(headers, body) for headers, body in self.wait_for(number)]

    def types(self, number: int) -> list[str]:
        return [event["type"] for event in self.events(number)]

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def proven(headers: dict[str, str], body: str) -> dict[str, Any]:
    """Return a webhook's body after the SDK has checked its signature."""
    short = {name: headers[f"svix-{name}"] for name in ("id", "timestamp", "signature")}
    options = {"payload": body, "headers": short, "webhook_secret": Config().webhook_secret}
    return dict(resend.Webhooks.verify(options))


@pytest.fixture(scope="session")
def one_clock() -> Clock:
    return Clock()


@pytest.fixture
def clock(one_clock: Clock) -> Clock:
    one_clock.reset()
    return one_clock


@pytest.fixture(scope="session")
def one_server(one_clock: Clock) -> Iterator[Server]:
    with serve(Config(now=one_clock)) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def point_sdk_at(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resend, "api_key", "re_sandbox")
    monkeypatch.setattr(resend, "api_url", server.resend_url)
    monkeypatch.setattr(resend, "default_http_client", resend.RequestsClient(timeout=patient(5)))


@pytest.fixture
def server(one_server: Server, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A sandbox whose clock stands still, which tells nobody, and in which nothing has happened yet."""
    one_server.sandbox.forget()
    point_sdk_at(one_server, monkeypatch)
    return one_server


@pytest.fixture
def telling(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A sandbox on real time that tells the receiver of every event at once."""
    with serve(Config(webhook_url=receiver.url)) as running:
        point_sdk_at(running, monkeypatch)
        control(running, {"webhooks.delay_s": 0})
        yield running


@pytest.fixture
def notion(server: Server) -> Iterator[notion_client.Client]:
    with sdk_of(server) as client:
        yield client


def sdk_of(server: Server) -> notion_client.Client:
    """Return Notion's SDK, asking a sandbox."""
    log = logging.getLogger("sandbox.tests")
    return notion_client.Client(
        client=httpx.Client(verify=TRUST), auth="ntn_sandbox", base_url=server.notion_url, retry=False, logger=log
    )


def control(server: Server, changes: object, path: str = "") -> Any:
    """Change switches, or use another path of the control API; the answer must be good."""
    answer = requests.post(f"{server.url}/control{path}", json=changes, timeout=patient(5))
    assert answer.status_code == 200, answer.text
    return answer.json()


def received(server: Server) -> list[dict[str, Any]]:
    """Return all emails that the sandbox has taken."""
    return list(requests.get(server.url + "/control/emails", timeout=patient(5)).json())


def letter(**changes: Any) -> Any:
    """Return a good email, with changes; None leaves a field out."""
    given = {
        "from": "Nora <nora@mail.lumen.example>",
        "to": ["delivered@resend.dev"],
        "subject": "Your notes",
        "html": "<p>Hi</p>",
        "text": "Hi",
    }
    return {name: value for name, value in (given | changes).items() if value is not None}
