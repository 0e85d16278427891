"""Whoever ends a test run leaves nothing of it running."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.processes import ROOT
from tests.pace import patient

PLAYED = """
import os, signal, subprocess, pytest

@pytest.fixture(scope="session")
def server():
    started = subprocess.Popen(["sleep", "600"])
    yield started
    # As `timeout` does, which tells a run and its workers, and xdist, which tells its workers once more.
    os.kill(os.getpid(), signal.SIGTERM)
    started.kill()
    started.wait()
    open(os.environ["STOPPED"], "w").close()

def test_waits(server):
    with open(os.environ["STARTED"], "w") as started:
        started.write(str(os.getpid()))
    server.wait()
"""


@pytest.mark.parametrize("workers", [[], ["-p", "xdist", "-n", "1"]], ids=["alone", "with workers"])
def test_a_run_that_is_ended_stops_its_servers(tmp_path: Path, workers: list[str]):
    (tmp_path / "test_played.py").write_text(PLAYED)
    # What pytest takes along by itself takes most of a start, and ends nothing.
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    started, stopped = tmp_path / "started", tmp_path / "stopped"
    os.mkfifo(started)
    run = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.ending", "-p", "no:cacheprovider", *workers, str(tmp_path)],
        env={**os.environ, **alone, "STARTED": str(started), "STOPPED": str(stopped)},
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert int(started.read_text())
    os.killpg(run.pid, signal.SIGTERM)
    assert run.wait(patient(30)) != 0
    assert stopped.exists()
