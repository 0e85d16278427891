"""`make run`: the three processes with the settings at hand, until they are asked to stop."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox.processes import ROOT, answers, development_env
from sandbox.redis_server import free_port
from sandbox.run import SETTINGS
from tests.pace import patient
from tests.process.watching import wait_until

pytestmark = pytest.mark.process
# What runs it so that its processes are forked.
FORKING = "tests.process.forking"


@pytest.fixture
def environment(tmp_path):
    port = free_port()
    env = development_env(folder=tmp_path, web_port=port, sandbox_url="http://127.0.0.1:1", redis_url="", interval_s=60)
    return env, f"http://127.0.0.1:{port}/readyz"


def start(env, *by, **more):
    command = [sys.executable, "-m", *by, "sandbox.run"]
    return subprocess.Popen(
        command, cwd=ROOT, env={**env, **more}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_it_runs_until_it_is_stopped_and_leaves_nothing_behind(environment):
    env, ready = environment
    with start(env, FORKING) as run:
        try:
            wait_until("all parts are there", lambda: answers(ready))
            told = (ROOT / SETTINGS).read_text()
        finally:
            run.send_signal(signal.SIGINT)
            said, _ = run.communicate(timeout=patient(30))
    assert run.returncode == 0, said
    assert f"export HOOK_SECRET={env['HOOK_SECRET']}\n" in told and "export REDIS_URL=redis://127.0.0.1:" in told
    assert f". {SETTINGS}" in said and not (ROOT / SETTINGS).exists()
    assert "a Redis of this run's own is used" in said and "Running web, worker, scheduler" in said
    assert "scheduler  " in said and said.rstrip().endswith("nothing is left running.")
    assert not answers(ready)


def test_faulty_settings_are_told_and_nothing_is_started(environment):
    env, ready = environment
    with start(env, TESTING_MODE="perhaps") as run:
        said, _ = run.communicate(timeout=patient(30))
    assert run.returncode == 1
    assert "TESTING_MODE: must be true or false." in said and not answers(ready)


def test_a_part_that_ends_by_itself_stops_the_others(environment, tmp_path):
    env, ready = environment
    with start(env, FORKING, TMPDIR=str(tmp_path)) as run:
        wait_until("all parts are there", lambda: answers(ready))
        os.kill(process_that_logs_to("scheduler.log", tmp_path), signal.SIGKILL)
        said, _ = run.communicate(timeout=patient(30))
    assert run.returncode == 1
    assert "scheduler ended by itself" in said and not answers(ready)


def process_that_logs_to(name, folder):
    """Return the id of the process whose output goes to a file of that name below a folder."""
    for output in Path("/proc").glob("[0-9]*/fd/1"):
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            log = output.readlink()
            if log.name == name and log.is_relative_to(folder):
                return int(output.parts[2])
    raise AssertionError(f"no process logs to {name}")
