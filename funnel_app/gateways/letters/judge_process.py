"""A process of its own for texts of strangers: what it dies of is the fault of one template, and hurts nothing else."""

import os
import selectors
import signal
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock, Timer
from typing import IO

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.letters import child
from funnel_app.gateways.letters.frames import draft_out, pack, read_frame, verdict_in
from funnel_app.letters.draft import Draft, Verdict
from funnel_app.letters.problem import fault

# A busy machine takes its time; a template that spins is ended by the system after its processor time.
WALL_S = 30.0
# All texts are judged one after the other when they change, and it takes 30 MB.
IDLE_S = 5.0
CPU_S = 5
REMEMBERED = 64
_STOPPED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class JudgeProcess:
    """Judges drafts in a child that is started when it is needed, replaced when it dies, and ended when it is idle.

    One verdict per fingerprint is remembered, so that a text that did not change costs nothing. For threads.
    """

    def __init__(self, wall_s: float = WALL_S, idle_s: float = IDLE_S, cpu_s: int = CPU_S) -> None:
        self._wall_s, self._idle_s, self._cpu_s = wall_s, idle_s, cpu_s
        self._lock = Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._idle: Timer | None = None
        self._verdicts: OrderedDict[str, Verdict] = OrderedDict()

    def judge(self, fingerprint: str, draft: Callable[[], Draft]) -> Verdict:
        """Return the verdict on a draft, which is made only where none is remembered under its fingerprint.

        Raises Unavailable where no verdict came in time and it is not the template's fault.
        """
        with self._lock:
            verdict = self._verdicts.get(fingerprint)
        verdict = verdict or self._asked(draft())
        with self._lock:
            self._verdicts[fingerprint] = verdict
            self._verdicts.move_to_end(fingerprint)
            while len(self._verdicts) > REMEMBERED:
                self._verdicts.popitem(last=False)
        return verdict

    def close(self) -> None:
        """End the child, if there is one. Safe to repeat."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """The child's process id; None while there is none."""
        return self._child.pid if self._child else None

    def _asked(self, draft: Draft) -> Verdict:
        with self._lock:
            self._forget_idling()
            answer = self._exchange(pack(draft_out(draft)))
            self._idle = Timer(self._idle_s, self.close)
            self._idle.daemon = True
            self._idle.start()
        return answer

    def _exchange(self, message: bytes) -> Verdict:
        running = self._running()
        stdin, stdout = _pipes(running)
        try:
            stdin.write(message)
            stdin.flush()
        except BrokenPipeError:
            return self._died(running)
        if not _readable(stdout, self._wall_s):
            self._end()
            raise Unavailable("letters", f"no verdict within {self._wall_s:.0f} s: the machine is busy")
        answer = read_frame(stdout)
        return verdict_in(answer) if answer is not None else self._died(running)

    def _running(self) -> subprocess.Popen[bytes]:
        # After a fork the child is the other process's.
        if self._child is not None and (self._owner != os.getpid() or self._child.poll() is not None):
            self._end()
        if self._child is None:
            # In a session of its own: what stops the whole group says nothing about a template.
            command = [sys.executable, "-I", str(Path(child.__file__)), str(self._cpu_s)]
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
                start_new_session=True,
            )
            self._owner = os.getpid()
        return self._child

    def _died(self, running: subprocess.Popen[bytes]) -> Verdict:
        status = running.wait()
        self._end()
        if -status in _STOPPED:
            raise Unavailable("letters", "the judging process was stopped from outside")
        return Verdict(
            (fault("too_heavy", f"The template cannot be worked with: {self._cause(status)}. Simplify it."),), None
        )

    def _cause(self, status: int) -> str:
        if status == -signal.SIGXCPU:
            return f"reading it takes more than {self._cpu_s} seconds of processor time"
        if status < 0:
            return f"reading it crashes the reader ({signal.Signals(-status).name})"
        return f"reading it takes more than {child.MEMORY_BYTES // 2**20} MB of memory, or fails"

    def _forget_idling(self) -> None:
        if self._idle is not None:
            self._idle.cancel()

    def _end(self) -> None:
        running, self._child = self._child, None
        self._forget_idling()
        if running is None:
            return
        if self._owner == os.getpid():
            running.kill()
            running.wait()
        for pipe in _pipes(running):
            with suppress(BrokenPipeError):
                pipe.close()


def _pipes(running: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if running.stdin is None or running.stdout is None:
        raise Unavailable("letters", "the judging process has no pipes")
    return running.stdin, running.stdout


def _readable(stream: IO[bytes], within_s: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        return bool(selector.select(within_s))
