"""A parent that imported everything once: it forks the parts, keeps them up, and stops them together.

What was imported before a fork is in memory once, however many parts there are. Connections are each part's own.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

import structlog
from setproctitle import setproctitle

from funnel_app.faults import AGAIN_AFTER_S, report
from jobs.shared_memory import share
from jobs.stop import Stop

PR_SET_PDEATHSIG = 1
STOPS = (signal.SIGTERM, signal.SIGINT)
CHECK_EVERY_S = 0.5
# A stop may be noticed late, and docker waits ten: an email in flight takes seven at most, and a moment to record.
STOP_WITHIN_S = 8.0
STAYS_UP_S = 2.0
STARTS = 5
# What a part ends with that raised an error.
BROKE = 1

log = structlog.get_logger()


@dataclass(frozen=True)
class Part:
    """One process of Funnel: its name, what it runs, and what is called while it is looked after."""

    name: str
    run: Callable[[], object]
    look_after: Callable[[], object] = bool


@dataclass
class Child:
    """A part that runs, or is to be started: since when, how often in a row it did not stay up, and when it broke."""

    part: Part
    pid: int = 0
    begun_at: float = 0.0
    failures: int = 0
    not_before: float = 0.0
    broke_at: float = float("-inf")

    @property
    def is_reported(self) -> bool:
        """Whether Sentry is told why it breaks: what the one before told is forgotten with it, and not told again."""
        return self.begun_at - self.broke_at >= AGAIN_AFTER_S


class Parent:
    """Starts each part, and again when it dies; gives up where one does not stay up."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.children = [Child(part) for part in parts]
        self.stopping = Stop()
        self.gave_up = False

    def run(self) -> int:
        """Run until SIGTERM or SIGINT: 0, or 1 where a part does not stay up, so that the container starts again."""
        for number in STOPS:
            signal.signal(number, lambda *_: self.stopping.set())
        share()
        while not self.stopping.is_set():
            self._on_exit()
            for child in self.children:
                if not child.pid and time.monotonic() >= child.not_before:
                    self._start(child)
                child.part.look_after()
            self.stopping.wait(CHECK_EVERY_S)
        self._stop()
        return 1 if self.gave_up else 0

    def _start(self, child: Child) -> None:
        parent = os.getpid()
        sys.stdout.flush()
        # One that comes before a child has handlers of its own would be set in its copy of ours, and lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        child.begun_at, child.pid = time.monotonic(), os.fork()
        if not child.pid:
            _become(child.part, parent, child.is_reported)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        log.info("process_started", part=child.part.name, pid=child.pid)

    def _on_exit(self) -> None:
        for child, status in self._ended():
            lived_s, code = time.monotonic() - child.begun_at, os.waitstatus_to_exitcode(status)
            log.error("process_exited", part=child.part.name, pid=child.pid, code=code)
            # Its own children would go on beside those of its successor, and hold its port.
            _signal_group(child.pid, signal.SIGTERM)
            child.pid = 0
            if code == BROKE and child.is_reported:
                child.broke_at = time.monotonic()
            child.failures = child.failures + 1 if lived_s < STAYS_UP_S else 0
            child.not_before = time.monotonic() + child.failures
            if child.failures >= STARTS:
                log.error("process_failed", part=child.part.name, hint="its last words are above")
                self.gave_up = True
                self.stopping.set()

    def _ended(self) -> list[tuple[Child, int]]:
        ended = []
        for child in self.children:
            if child.pid:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                ended += [(child, status)] if pid else []
        return ended

    def _stop(self) -> None:
        for child in self.children:
            if child.pid:
                os.kill(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        while any(child.pid for child in self.children) and time.monotonic() < deadline:
            for child, _ in self._ended():
                child.pid = 0
            time.sleep(0.02)
        for child in self.children:
            if child.pid:
                log.warning("process_killed", part=child.part.name, pid=child.pid)
                _signal_group(child.pid, signal.SIGKILL)
                os.waitpid(child.pid, 0)


def _become(part: Part, parent: int, is_reported: bool) -> NoReturn:
    """In the child: run the part, and end with its parent; what it raises is told, and the code is 1."""
    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    os.setpgid(0, 0)
    setproctitle(title(part.name))
    try:
        if dies_with(parent):
            part.run()
    except Exception as fault:
        log.error("process_broke", part=part.name, exc_info=fault)
        if is_reported:
            report(fault)
        sys.exit(BROKE)
    sys.exit(0)


def title(name: str) -> str:
    """Return what the process of a part of this name is called, as `ps` shows it."""
    return f"funnel {name}"


def dies_with(parent: int) -> bool:
    """Ask the kernel to end this process with its parent; False where the parent is already gone."""
    # Children of a parent that was killed would go on beside those of its successor.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    return os.getppid() == parent


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
