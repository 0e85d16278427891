"""Start a process of Funnel as a fork of one that has imported its code: importing is most of what a start costs.

What the image runs (`jobs.start`), and what needs another network or another libc from its first moment, begins with an
interpreter of its own.
"""

import atexit
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from sandbox.processes import ROOT, Running, execute

FORKED = {"flask", "gunicorn", "jobs.scheduler", "jobs.worker", "sandbox", "tests.process.crash"}

_context = get_context("forkserver")
_context.set_forkserver_preload(["tests.process.imported"])


class Forked:
    """A forked process, with what a `subprocess.Popen` has that is asked for."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process
        self.pid = int(process.pid or 0)

    @property
    def returncode(self) -> int | None:
        """The status with which it ended; None while it runs."""
        return self.poll()

    def poll(self) -> int | None:
        """Look whether it has ended."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended; TimeoutExpired where it goes on for longer."""
        self._process.join(timeout)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to stop."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it at once."""
        self.send_signal(signal.SIGKILL)


def fork(command: Sequence[str], env: Mapping[str, str], out: Path, err: Path) -> Running:
    """Start a command that is `python -m` and a module of ours by a fork, any other as a person would."""
    python, m, *rest = command
    if python != sys.executable or m != "-m" or rest[0] not in FORKED or "LD_PRELOAD" in env:
        return execute(command, env, out, err)
    for file in (out, err):
        file.touch()
    process = _context.Process(target=_become, args=(rest, dict(env), out, err), daemon=True)
    process.start()
    return Forked(process)


def _become(arguments: list[str], env: dict[str, str], out: Path, err: Path) -> None:
    os.setsid()
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(env)
    # It was looked up once for the process that is forked.
    tempfile.tempdir = None
    _write_to(out, sys.stdout.fileno())
    _write_to(err, sys.stderr.fileno())
    sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]
    sys.argv = arguments
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()


def _write_to(file: Path, number: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, number)
    os.close(descriptor)
