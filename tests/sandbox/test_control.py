"""The control API, the inbox and the process."""

import os
import signal
import sys
import threading

import pytest
import requests
import resend

from sandbox.__main__ import main
from sandbox.app import create_sandbox
from sandbox.state import Config
from tests.pace import patient
from tests.process.forked import fork
from tests.process.watching import wait_until
from tests.sandbox.conftest import control, letter, received


@pytest.fixture
def own_signals():
    """Give the signals back to the test run afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_switches_merge_by_section_or_dotted_name(server):
    control(server, {"resend": {"latency_s": 0.001}, "webhooks.duplicate": True})
    shown = control(server, {"notion.rate_per_second": 3})
    assert shown["resend"]["latency_s"] == 0.001
    assert shown["webhooks"]["duplicate"] is True
    assert shown["notion"]["rate_per_second"] == 3
    assert control(server, {"webhooks.secret": "whsec_c2VjcmV0"})["webhooks"]["secret"] == "whsec_c2VjcmV0"
    shown = control(server, {"webhooks.secret": shown["webhooks"]["secret"]})
    assert requests.get(server.url + "/control", timeout=patient(5)).json() == shown


@pytest.mark.parametrize(
    "changes",
    [
        None,
        [1],
        {"resend": 5},
        {"resend.nothing": 1},
        {"mail.latency_s": 1},
        {"resend.reverse": True},
        {"resend.latency_s": -1},
        {"resend.latency_s": True},
        {"resend.rate_per_second": "2"},
        {"webhooks.enabled": 1},
        {"webhooks.url": 1},
        {"webhooks.secret": 1},
        {"resend.wrong_keys": "re_x"},
        {"resend.domains": ["a.example"]},
        {"resend.fail": {"status": 500}},
        {"resend.fail": [{"stat": 500}]},
        {"resend.fail": [{"drop": "yes"}]},
        {"resend.domains": {"a.example": 1}},
        {"resend.fail_always": {}},
    ],
)
def test_a_wrong_switch_is_refused_and_nothing_is_changed(server, changes):
    before = requests.get(server.url + "/control", timeout=patient(5)).json()
    given = changes | {"webhooks.duplicate": True} if isinstance(changes, dict) else changes
    answer = requests.post(server.url + "/control", json=given, timeout=patient(5))
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert requests.get(server.url + "/control", timeout=patient(5)).json() == before


def test_a_reset_forgets_everything(server, notion):
    before = requests.get(server.url + "/control", timeout=patient(5)).json()
    control(server, {"resend.latency_s": 0.001})
    resend.Emails.send(letter(), {"idempotency_key": "k"})
    assert control(server, None, "/reset") == before
    assert received(server) == []
    assert requests.get(server.url + "/control/calls", timeout=patient(5)).json() == {}
    resend.Emails.send(letter(subject="Other"), {"idempotency_key": "k"})


def test_calls_are_counted_per_endpoint_refused_ones_too(server, notion):
    control(server, {"resend.fail": [{"drop": True}]})
    with pytest.raises(resend.exceptions.ResendError):
        resend.Emails.send(letter())
    sent = resend.Emails.send(letter())
    resend.Emails.get(sent["id"])
    notion.users.me()
    assert requests.get(server.url + "/control/calls", timeout=patient(5)).json() == {
        "POST /resend/emails": 2,
        "GET /resend/emails/{id}": 1,
        "GET /notion/v1/users/me": 1,
    }


def test_the_inbox_lists_the_newest_first_and_looks_again_by_itself(server):
    assert "No email yet" in requests.get(server.url, timeout=patient(5)).text
    resend.Emails.send(letter(subject="First"))
    resend.Emails.send(letter(subject="Second & last"))
    page = requests.get(server.url, timeout=patient(5)).text
    assert page.index("Second &amp; last") < page.index("First")
    assert '<meta http-equiv="refresh" content="2">' in page
    assert "queued" in page


def test_an_email_is_shown_as_it_was_sent_but_can_run_nothing(server, clock):
    html = "<p class=\"x\">Hi</p><script>alert('x')</script>"
    tags = [{"name": "step", "value": "7a"}]
    sent = resend.Emails.send(
        letter(html=html, text="Plain <hi>", headers={"X-Step": "two"}, tags=tags), {"idempotency_key": "key-1"}
    )
    clock.forward(seconds=1)
    page = requests.get(f"{server.url}/inbox/{sent['id']}", timeout=patient(5)).text
    assert '<iframe sandbox="" ' in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page
    for shown in ("Plain &lt;hi&gt;", "X-Step", "two", "7a", "key-1", "email.delivered"):
        assert shown in page


def test_an_email_without_html_headers_or_tags_is_shown_too(server):
    sent = resend.Emails.send(letter(html=None))
    assert "no HTML part" in requests.get(f"{server.url}/inbox/{sent['id']}", timeout=patient(5)).text
    assert requests.get(server.url + "/inbox/nothing", timeout=patient(5)).status_code == 404


def test_an_app_can_be_made_without_a_server_and_refuses_a_bad_secret():
    client = create_sandbox().test_client()
    assert client.get("/control").json["resend"]["rate_per_second"] == 10
    client.post("/control", json={"resend.fail": [{"drop": True}]})
    assert client.post("/resend/emails", json=letter(), headers={"Authorization": "Bearer re_x"}).status_code == 502
    with pytest.raises(ValueError, match="whsec_"):
        create_sandbox(Config(webhook_secret="c2VjcmV0"))


def test_the_process_writes_its_port_serves_and_ends_well_on_sigterm(tmp_path):
    port_file, said = tmp_path / "port", tmp_path / "said"
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--port-file", str(port_file), "--domain", "l.example"]
    process = fork(command, os.environ, said, said)
    wait_until("it says where it is", lambda: "RESEND_API_URL" in said.read_text())
    shown = requests.get(f"http://127.0.0.1:{port_file.read_text()}/control", timeout=patient(5)).json()
    assert shown["resend"]["domains"] == {"l.example": "verified"}
    process.send_signal(signal.SIGTERM)
    assert process.wait(patient(10)) == 0


def test_the_command_serves_in_the_foreground_until_it_is_told_to_leave(tmp_path, own_signals):
    port_file, answers = tmp_path / "port", []

    def look_and_leave() -> None:
        try:
            wait_until("it says where it is", port_file.exists)
            url = f"http://127.0.0.1:{port_file.read_text()}/"
            answers.append(requests.get(url, timeout=patient(5)).status_code)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=look_and_leave)
    with pytest.raises(SystemExit) as left:
        thread.start()
        main(["--port", "0", "--port-file", str(port_file)])
    thread.join()
    assert left.value.code == 0
    assert answers == [200]
