"""Turns: SQLite has one writer at a time, so the writers of all processes queue instead of polling.

SQLite itself retries after ever longer sleeps: the latest may go first, and somebody waits for seconds. PostgreSQL
locks rows and wakes waiters, so none of this applies; only `take_turns` decides that.
"""

import fcntl
import os
import sqlite3
from collections import deque
from contextlib import suppress
from threading import Lock

from sqlalchemy import Engine


def take_turns(engine: Engine) -> bool:
    """Say whether the ledger's writers queue, and may share a commit: SQLite's do."""
    return engine.dialect.name == "sqlite"


class TurnNotCome(TimeoutError):
    """Another writer of this process has held its turn for too long."""


class Turns:
    """The queue of writers: in order of arrival within this process, by a file lock among processes.

    A process that dies releases its turn with its open files. The file is none of the database's, since closing one of
    those would drop SQLite's own locks (https://sqlite.org/howtocorrupt.html, §2.2). Without a file, as for an
    in-memory ledger, only this process's queue exists.
    """

    def __init__(self, path: str | None, within_s: float) -> None:
        self._path = path
        self._within_s = within_s
        self._lock = Lock()
        self._held = False
        self._line: deque[Lock] = deque()
        self._file: tuple[int, int] | None = None

    def take(self) -> None:
        """Wait for the turn. Raises TurnNotCome, and OSError if the lock file cannot be created."""
        self._queue()
        try:
            if self._path is not None:
                fcntl.flock(self._descriptor(self._path), fcntl.LOCK_EX)
        except BaseException:
            self._next()
            raise

    def give_back(self) -> None:
        """Pass the turn on: first to another process, then to the next in this one."""
        if self._file is not None:
            fcntl.flock(self._file[1], fcntl.LOCK_UN)
        self._next()

    def _queue(self) -> None:
        with self._lock:
            if not self._held:
                self._held = True
                return
            ticket = Lock()
            ticket.acquire()
            self._line.append(ticket)
        if not ticket.acquire(timeout=self._within_s) and not self._came_after_all(ticket):
            raise TurnNotCome(f"The ledger was busy for {self._within_s:.0f} s.")

    def _came_after_all(self, ticket: Lock) -> bool:
        with self._lock:
            if ticket not in self._line:
                return True
            self._line.remove(ticket)
            return False

    def _next(self) -> None:
        with self._lock:
            self._held = bool(self._line)
            if self._line:
                self._line.popleft().release()

    def _descriptor(self, path: str) -> int:
        # A forked child shares its parent's lock, so it opens the file itself.
        if self._file is None or self._file[0] != os.getpid():
            self._file = os.getpid(), _opened(path)
        return self._file[1]


class Line(sqlite3.Connection):
    """A connection whose turn lasts exactly as long as its writing transaction.

    What follows a commit, as log lines and the way back to the pool, keeps nobody else waiting.
    """

    turns: Turns
    has_turn = False

    def take_turn(self) -> None:
        """Wait for the turn, unless this connection has it. Raises as `Turns.take`."""
        if not self.has_turn:
            self.turns.take()
            self.has_turn = True

    def give_turn_back(self) -> None:
        """Pass the turn on, if this connection has it."""
        if self.has_turn:
            self.has_turn = False
            self.turns.give_back()

    def commit(self) -> None:
        """Commit, and pass the turn on."""
        super().commit()
        self._end()

    def rollback(self) -> None:
        """Roll back, and pass the turn on."""
        super().rollback()
        self._end()

    def close(self) -> None:
        """Close, and pass the turn on."""
        super().close()
        self.give_turn_back()

    def _end(self) -> None:
        if not self.in_transaction:
            self.give_turn_back()


def _opened(path: str) -> int:
    # Anybody who may read it could hold the lock and block every hook.
    found = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with suppress(OSError):
        os.fchmod(found, 0o600)
    return found
