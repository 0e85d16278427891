"""A client that a program makes of `/openapi.json` talks to the hooks as its words promise."""

import json
import os
import subprocess
import sys
from http import HTTPStatus
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from tests.factories import HOOK_SECRET


@pytest.fixture
def made(client, tmp_path, monkeypatch):
    """The package that openapi-python-client makes of the description, to be imported."""
    (tmp_path / "openapi.json").write_text(json.dumps(client.get("/openapi.json").json))
    tools = Path(sys.executable).parent
    command = [str(tools / "openapi-python-client"), "generate", "--path", "openapi.json", "--output-path", "made"]
    done = subprocess.run(
        [*command, "--meta", "none"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 and "Warning" not in done.stdout + done.stderr, done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    return import_module("made")


def test_it_signs_somebody_up_and_is_told_what_is_wrong(app, made):
    receive = import_module("made.api.signup.receive_signup")
    signup = import_module("made.models").Signup
    through = {"transport": httpx.WSGITransport(app=app)}
    ours = made.AuthenticatedClient("https://funnel.example", token=HOOK_SECRET, httpx_args=through)
    answer = receive.sync_detailed("christmas", client=ours, body=signup(email="ana@resend.dev", first_name="Ana"))
    assert answer.status_code == HTTPStatus.ACCEPTED
    assert answer.parsed.status == "accepted" and [email.step for email in answer.parsed.emails] == [1, 2, 3, 4, 5]
    wrong = receive.sync_detailed("christmas", client=ours, body=signup(email="nobody"))
    assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY and "email" in wrong.parsed.errors
    stranger = made.AuthenticatedClient("https://funnel.example", token="guess", httpx_args=through)
    refused = receive.sync_detailed("christmas", client=stranger, body=signup(email="ana@resend.dev"))
    assert refused.status_code == HTTPStatus.UNAUTHORIZED and refused.headers["WWW-Authenticate"].startswith("Bearer")
