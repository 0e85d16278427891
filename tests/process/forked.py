"""Start a process of Funnel as a fork of one that has imported its code: importing is most of what a start costs.

A network of its own, and a clock that can be set wrong, are given to the fork.
"""

import atexit
import ctypes
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import current_process, forkserver, get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from jobs.parent import dies_with
from sandbox.processes import ROOT, Running, execute
from tests.chaos.wrong_clock import build_library, go_by_the_wrong_clock

# Whose modules are begun by a fork.
FORKED = {"flask", "gunicorn", "jobs", "sandbox", "tests"}

# How a command is begun in a network of its own (tests/process/machines.py).
ENTER = ("ip", "netns", "exec")

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
    network, own = _network_of(command)
    if not _is_ours(own):
        return execute(command, env, out, err)
    for file in (out, err):
        file.touch()
    process = _context.Process(target=_become, args=(own[2:], dict(env), out, err, network), daemon=True)
    with _library_before_libc():
        process.start()
    return Forked(process)


def run(*module: str, env: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m` with these words to its end by a fork, with its output in a folder."""
    command, out, err = [sys.executable, "-m", *module], folder / "out", folder / "err"
    status = fork(command, env, out, err).wait()
    return subprocess.CompletedProcess(command, status, out.read_text(), err.read_text())


def _network_of(command: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """Return the network namespace that a command is begun in, if any, and what is begun there."""
    return (command[3], command[4:]) if tuple(command[:3]) == ENTER else (None, command)


def _is_ours(command: Sequence[str]) -> bool:
    return tuple(command[:2]) == (sys.executable, "-m") and command[2].partition(".")[0] in FORKED


def serve_forks() -> None:
    """Start the server now, for this process and all that are forked from it: each would start one of its own else."""
    with _library_before_libc():
        forkserver.ensure_running()
    _start_no_other()


def _start_no_other() -> None:
    forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]


@contextmanager
def _library_before_libc() -> Iterator[None]:
    """The first fork starts the server that all are forked from; what stands before its libc stands before theirs."""
    library = build_library()
    if library:
        os.environ["LD_PRELOAD"] = str(library)
    try:
        yield
    finally:
        os.environ.pop("LD_PRELOAD", None)


def _become(arguments: list[str], env: dict[str, str], out: Path, err: Path, network: str | None) -> None:
    os.setsid()
    _end_with_the_run()
    # What this process starts comes from the same server: by itself multiprocessing would start another.
    _start_no_other()
    current_process().daemon = False
    if network:
        _enter(network)
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(env)
    if "WRONG_CLOCK" in env:
        go_by_the_wrong_clock()
    # It was looked up once for the process that is forked.
    tempfile.tempdir = None
    _write_to(out, sys.stdout.fileno())
    _write_to(err, sys.stderr.fileno())
    sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]
    _fork_what_it_starts(out, err)
    try:
        _run(arguments)
    finally:
        atexit._run_exitfuncs()


def _end_with_the_run() -> None:
    """Leave nothing running where a run is killed: its end ends the server, and the server's end this process."""
    dies_with(os.getppid())
    # The server lives while somebody holds this pipe, which multiprocessing gives to each fork.
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(nothing, forkserver._forkserver._forkserver_alive_fd, inheritable=False)
    os.close(nothing)


def _run(arguments: Sequence[str]) -> None:
    sys.argv = list(arguments)
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


def _fork_what_it_starts(out: Path, err: Path) -> None:
    """Let a command of ours that this process starts be a fork too, and one that it becomes need no import."""

    class Popen(subprocess.Popen[Any]):
        def __new__(cls, command: Any, *more: Any, **options: Any) -> Any:
            if more or options or not _is_ours(command):
                return super().__new__(cls)
            return fork(command, os.environ, out, err)

    def execv(program: str, command: Sequence[str]) -> None:
        _run(command[2:])
        sys.exit()

    subprocess.Popen = Popen  # type: ignore[misc]
    os.execv = execv  # type: ignore[assignment]


def _enter(network: str) -> None:
    # os.setns is Python 3.12's.
    file = os.open(f"/run/netns/{network}", os.O_RDONLY | os.O_CLOEXEC)
    if ctypes.CDLL(None, use_errno=True).setns(file, 0):
        raise OSError(ctypes.get_errno(), f"the network {network} cannot be entered")
    os.close(file)


def _write_to(file: Path, number: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(descriptor, number)
    os.close(descriptor)
