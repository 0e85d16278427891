"""A process that is forked is what one is that a person starts."""

import os
import signal
import subprocess
import sys

import pytest

from sandbox.processes import ROOT, NotStarted, Processes, answers, execute, inheriting
from sandbox.redis_server import free_port
from tests.pace import patient
from tests.process.forked import fork
from tests.process.watching import wait_until

pytestmark = pytest.mark.process


@pytest.mark.parametrize("start", [execute, fork])
def test_it_has_its_own_settings_says_what_it_says_and_ends_as_it_ends(start, tmp_path):
    env, command = inheriting({"RESEND_API_KEY": ""}), [sys.executable, "-m", "jobs.start"]
    process = start(command, env, tmp_path / "out", tmp_path / "err")
    assert process.wait(patient(120)) == process.returncode == process.poll() == 1
    assert "RESEND_API_KEY" in (tmp_path / "err").read_text() and not (tmp_path / "out").read_text()


def test_a_command_that_fails_tells_what_it_said(tmp_path):
    with pytest.raises(NotStarted, match="COMPANY_NAME: is not set"):
        Processes(tmp_path, inheriting({"COMPANY_NAME": ""})).run("-m", "flask", "--app", "wsgi", "db", "upgrade")


RUN = """
import sys
from pathlib import Path
from sandbox.processes import inheriting
from tests.process.forked import fork
folder, port = Path(sys.argv[1]), sys.argv[2]
fork([sys.executable, "-m", "sandbox", "--port", port], inheriting({}), folder / "out", folder / "err").wait()
"""


def test_it_ends_where_the_run_that_started_it_is_killed(tmp_path):
    url = f"http://127.0.0.1:{(port := free_port())}/"
    run = subprocess.Popen([sys.executable, "-c", RUN, tmp_path, str(port)], cwd=ROOT, start_new_session=True)
    wait_until("it answers", lambda: answers(url))
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    wait_until("it ends too", lambda: not answers(url))
