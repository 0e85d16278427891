"""Judge process: untrusted templates are judged in a child; if it dies, only that template is at fault."""

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
from funnel_app.letters.problem import fault
from funnel_app.letters.validation.draft import Draft, Verdict

# Generous, for a busy machine; a template that loops is killed by its CPU limit.
WALL_S = 30.0
# Templates are judged in bursts, and an idle child takes 30 MB.
IDLE_S = 5.0
CPU_S = 5
REMEMBERED = 64
_STOPPED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class JudgeProcess:
    """Judges drafts in a child that is started on demand, replaced if it dies, and stopped when idle.

    One verdict per fingerprint is cached, so that an unchanged template costs nothing. Thread-safe.
    """

    def __init__(self, wall_s: float = WALL_S, cpu_s: int = CPU_S) -> None:
        self._wall_s, self._cpu_s = wall_s, cpu_s
        self._lock = Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._idle: Timer | None = None
        self._verdicts: OrderedDict[str, Verdict] = OrderedDict()

    def judge(self, fingerprint: str, draft: Callable[[], Draft]) -> Verdict:
        """Return the verdict on a draft, from the cache if its fingerprint is known.

        Raises Unavailable if no verdict came in time and the template is not at fault.
        """
        with self._lock:
            verdict = self._remembered(fingerprint)
        if verdict is None:
            made = draft()
            with self._lock:
                # Another thread may have asked for it meanwhile: doctor and watch begin together.
                verdict = self._remembered(fingerprint) or self._remember(fingerprint, self._asked(made))
        return verdict

    def close(self) -> None:
        """Stop the child, if there is one. Safe to repeat."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """The child's process id; None without a child."""
        return self._child.pid if self._child else None

    def _remembered(self, fingerprint: str) -> Verdict | None:
        verdict = self._verdicts.get(fingerprint)
        if verdict is not None:
            self._verdicts.move_to_end(fingerprint)
        return verdict

    def _remember(self, fingerprint: str, verdict: Verdict) -> Verdict:
        self._verdicts[fingerprint] = verdict
        while len(self._verdicts) > REMEMBERED:
            self._verdicts.popitem(last=False)
        return verdict

    def _asked(self, draft: Draft) -> Verdict:
        self._forget_idling()
        try:
            answer = self._exchange(pack(draft_out(draft)))
        except BaseException:
            # A job's time may be up at any line: the answer that is still to come would be read as the next draft's.
            self._end()
            raise
        self._idle = Timer(IDLE_S, self.close)
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
        # After a fork the child belongs to the parent.
        if self._child is not None and (self._owner != os.getpid() or self._child.poll() is not None):
            self._end()
        if self._child is None:
            # In its own session: a signal to our process group must not look like a template's fault.
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
