"""`make run`: the three processes with the settings at hand, until they are asked to stop."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from jobs.processes import PARTS
from sandbox.processes import ROOT, Processes, answers, development_env
from sandbox.redis_server import free_port
from sandbox.run import SETTINGS
from tests.pace import patient
from tests.process.watching import wait_until

pytestmark = pytest.mark.process


@pytest.fixture
def environment(tmp_path):
    port = free_port()
    env = development_env(folder=tmp_path, web_port=port, sandbox_url="http://127.0.0.1:1", redis_url="", interval_s=60)
    return env, f"http://127.0.0.1:{port}/readyz"


@contextmanager
def running(env, folder):
    """`make run` with forked processes, whose own folder is below this one; what it says is read by `said`."""
    started = Processes(folder, {**env, "TMPDIR": str(folder)})
    started.start("run", "-m", "tests.process.forking", "sandbox.run")
    try:
        yield started.running["run"]
    finally:
        started.stop()


def said(folder):
    return (folder / "run.log").read_text()


def settings_of(folder):
    """Return the file for commands beside it; it has a number where another run keeps the usual one."""
    (named,) = re.findall(r"in a second terminal: \. (\S+)\n", said(folder))
    assert re.sub(r"-\d+\.env$", ".env", named) == SETTINGS
    return ROOT / named


def test_it_runs_until_it_is_stopped_and_leaves_nothing_behind(environment, tmp_path):
    env, ready = environment
    with running(env, tmp_path) as run:
        wait_until("web answers", lambda: answers(ready))
        wait_until("all parts are heard", lambda: all(f"\n{part:<10} {{" in said(tmp_path) for part in PARTS))
        told = settings_of(tmp_path).read_text()
        run.send_signal(signal.SIGINT)
        assert run.wait(patient(30)) == 0, said(tmp_path)
    assert f"export HOOK_SECRET={env['HOOK_SECRET']}\n" in told and "export REDIS_URL=redis://127.0.0.1:" in told
    left = settings_of(tmp_path)
    assert not left.exists() or left.read_text() != told, "another run may have taken its name"
    assert "a Redis of this run's own is used" in said(tmp_path) and "Running web, worker, scheduler" in said(tmp_path)
    assert "Shutting down: Master" in said(tmp_path), "what web said while it stopped"
    assert said(tmp_path).rstrip().endswith("nothing is left running.")
    assert not answers(ready)


def test_faulty_settings_are_told_and_nothing_is_started(environment):
    env, ready = environment
    command = [sys.executable, "-m", "sandbox.run"]
    run = subprocess.run(
        command, check=False, cwd=ROOT, env={**env, "TESTING_MODE": "perhaps"}, capture_output=True, text=True,
        timeout=patient(30),
    )  # fmt: skip
    assert run.returncode == 1
    assert "TESTING_MODE: must be true or false." in run.stderr and not answers(ready)


def test_a_part_that_ends_by_itself_stops_the_others(environment, tmp_path):
    env, ready = environment
    with running(env, tmp_path) as run:
        wait_until("web answers", lambda: answers(ready))
        os.kill(process_that_logs_to("scheduler.log", tmp_path), signal.SIGKILL)
        assert run.wait(patient(30)) == 1
    assert said(tmp_path).rstrip().endswith("scheduler ended by itself; its last words are above.")
    assert "Shutting down: Master" in said(tmp_path) and not answers(ready)


def process_that_logs_to(name, folder):
    """Return the id of the process whose output goes to a file of that name below a folder."""
    for output in Path("/proc").glob("[0-9]*/fd/1"):
        with suppress(OSError):  # it has ended meanwhile, or is another user's
            log = output.readlink()
            if log.name == name and log.is_relative_to(folder):
                return int(output.parts[2])
    raise AssertionError(f"no process logs to {name}")
