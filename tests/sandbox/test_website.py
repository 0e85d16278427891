"""The stand-in for the website: what it tells Funnel, with which proof, and what a visitor reads when that fails."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from sandbox.relay import HOOK, call_hook
from sandbox.server import serve
from sandbox.state import Config
from sandbox.website import CONSENT, SYSTEMS, field_of, results
from tests.pace import patient
from tests.sandbox.conftest import Clock

ANA = {"email": "delivered+ana@resend.dev", "first_name": "Ana", "business_name": "", "consent": "yes"}
TAKEN = {"status": "accepted", "contact_id": None, "handler": "christmas-signup-handler", "ended": [], "emails": []}


class Funnel:
    """Answers as scripted (then 202), and remembers who called with what."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.calls: list[tuple[str, str | None, dict[str, Any]]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        funnel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                funnel.calls.append((self.path, self.headers["Authorization"], body))
                status, words = funnel.answers.pop(0) if funnel.answers else (202, json.dumps(TAKEN).encode())
                self.send_response(status)
                self.end_headers()
                self.wfile.write(words)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def funnel() -> Iterator[Funnel]:
    running = Funnel()
    yield running
    running.close()


@pytest.fixture
def website(funnel: Funnel, clock: Clock) -> Iterator[str]:
    with serve(Config(funnel_url=funnel.url, hook_secret="proof", now=clock)) as server:
        yield f"{server.url}/website"


def fill_in(url: str, **fields: str) -> requests.Response:
    return requests.post(url, data=ANA | fields, timeout=patient(15))


def test_a_signup_is_told_with_the_proof_and_the_consent(website, funnel, clock):
    answer = fill_in(website)
    assert answer.status_code == 200 and "Thank you, Ana" in answer.text and "accepted" in answer.text
    ((path, proof, told),) = funnel.calls
    assert (path, proof) == (HOOK, "Bearer proof")
    consent = told.pop("consent")
    assert told == {"email": "delivered+ana@resend.dev", "first_name": "Ana"}, "what was left empty is left out"
    assert consent == {"at": clock().isoformat(), "text": CONSENT, "source": "/website", "ip": "127.0.0.1"}


def test_the_proof_is_on_no_page(website):
    for answer in (requests.get(website, timeout=patient(5)), fill_in(website), fill_in(website, email="")):
        assert "Bearer" not in answer.text and '"proof"' not in answer.text


def test_without_consent_nobody_is_told(website, funnel):
    answer = requests.post(website, data={name: ANA[name] for name in ("email", "first_name")}, timeout=patient(5))
    assert answer.status_code == 422 and "Tick the box" in answer.text and 'value="Ana"' in answer.text
    assert funnel.calls == []


def test_the_assessment_is_told_as_its_results(website, funnel, clock):
    said = {field_of("Money"): "red", field_of("Team"): "green", "revenue_leak_total": "48500"}
    answer = fill_in(f"{website}/assessment", website_sends="yes", **said)
    assert "Your results are on their way" in answer.text
    told = funnel.calls[0][2]
    assert (told["weakest_system_1"], told["strongest_system"], told["revenue_leak_total"]) == (
        "Money",
        "Team",
        "48500",
    )
    assert (told["red_systems"], told["yellow_systems"], told["green_systems"]) == (1, 6, 1)
    assert told["email_1_sent_at"] == clock().isoformat()
    fill_in(f"{website}/assessment", **said)
    assert "email_1_sent_at" not in funnel.calls[1][2]


@pytest.mark.parametrize(("colour", "score"), [("red", 0), ("orange", 33), ("yellow", 67), ("green", 100)])
def test_the_score_goes_from_0_to_100(colour, score):
    worked_out = results({field_of(system): colour for system in SYSTEMS})
    assert worked_out["assessment_score"] == score and worked_out[f"{colour}_systems"] == len(SYSTEMS)


def test_what_is_wrong_with_a_field_stands_at_the_field(website, funnel):
    refused = {"errors": {"first_name": ["Holds a link."], "consent": {"ip": ["Not an address."]}}}
    funnel.answers.append((422, json.dumps(refused).encode()))
    answer = fill_in(website, first_name="evil.example")
    assert answer.status_code == 422 and 'aria-describedby="first_name-wrong"' in answer.text
    assert "Holds a link." in answer.text and "Not an address." in answer.text, "also what no field stands for"
    assert 'value="evil.example"' in answer.text and len(funnel.calls) == 1, "a refusal is not repeated"


def test_a_call_is_repeated_while_funnel_is_away(website, funnel):
    funnel.answers = [(503, b'{"detail": "the ledger is away"}'), (429, b"{}")]
    assert "Thank you" in fill_in(website).text
    assert [told for _, _, told in funnel.calls] == [funnel.calls[0][2]] * 3, "the very same call"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [(503, b'{"detail": "the ledger is away"}', "the ledger is away"), (502, b"<h1>Bad gateway</h1>", "is not Funnel"),
     (401, b'{"title": "Unauthorized"}', "Unauthorized")],
)  # fmt: skip
def test_what_went_wrong_is_said_and_what_was_typed_is_kept(website, funnel, status, body, said):
    funnel.answers = [(status, body)] * 3
    answer = fill_in(website)
    assert answer.status_code == 502 and said in answer.text and str(status) in answer.text
    assert 'value="Ana"' in answer.text and "Thank you" not in answer.text


def test_a_funnel_that_does_not_answer_is_said(clock):
    with serve(Config(funnel_url="http://127.0.0.1:1", hook_secret="proof", now=clock)) as server:
        answer = fill_in(f"{server.url}/website")
    assert answer.status_code == 502 and "Funnel does not answer at http://127.0.0.1:1" in answer.text


@pytest.mark.parametrize("config", [Config(), Config(funnel_url="http://127.0.0.1:1"), Config(hook_secret="x")])
def test_a_website_that_knows_of_no_funnel_says_what_is_missing(config):
    assert "FUNNEL_URL and HOOK_SECRET" in str(call_hook(config, {}).fault)
