"""The official Prefect client finds in Funnel the server that it expects."""

import json
import os
import subprocess
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from sandbox.processes import ROOT
from tests.factories import HOOK_SECRET, LEGACY_KEY

pytestmark = pytest.mark.process

PYTHON = ROOT / ".venv" / "prefect" / "bin" / "python"
WORKS = {
    "healthy": True,
    "version": "3.8.8",
    "same_run": True,
    "state": ["SCHEDULED", "Scheduled", "0 of 5 emails delivered; email 1 is due and goes within seconds."],
    "parameters": {"email": "ana0@resend.dev", "first_name": "Ana"},
    "deployment": ["christmas-signup-handler", "1ae3a3b3-e076-49c5-9b08-9c176aa47aa0"],
    "flow": "christmas-signup-handler",
    "no_run": True,
    "no_deployment": True,
    "run_deployment": "SCHEDULED",
}


@pytest.fixture
def address(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_official_client_works_by_the_key_in_the_path_and_by_bearer(address, tmp_path):
    assert PYTHON.exists(), "make test installs the client: make prefect-client"
    by_key = {"PREFECT_API_URL": f"{address}/k/{LEGACY_KEY}/api"}
    by_bearer = {"PREFECT_API_URL": f"{address}/api", "PREFECT_API_KEY": HOOK_SECRET}
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path)}
    handler = "christmas-postcall-maybe-handler"
    drive = [str(PYTHON), str(Path(__file__).parent / "drive.py"), f"{handler}/{handler}"]
    done = subprocess.run(
        [*drive, json.dumps([by_key, by_bearer])],
        env={**env, **by_key},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    key, bearer = json.loads(done.stdout.strip().splitlines()[-1])
    for seen in (key, bearer):
        refused = seen.pop("refused")
        assert refused[0] == 409 and refused[1].startswith(
            "Error creating flow run: Validation failed. Failure reason: email"
        )
    assert key == WORKS
    assert bearer == {**WORKS, "parameters": {"email": "ana1@resend.dev", "first_name": "Ana"}}
