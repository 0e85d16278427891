"""gunicorn worker whose threads never wait for a caller.

gunicorn's own threads read from the socket, so that a few slow callers block it. Here the process's first thread
listens to all (`web_door.py`), and the others answer complete requests (docs/decisions/0010).
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from gunicorn.workers.base import Worker

from funnel_app.ledger.database.crowd import Crowd
from jobs.web_answer import keep_settings, make_answer
from jobs.web_balancing import Share, Shares
from jobs.web_connection import Connection
from jobs.web_door import Door


class BufferingWorker(Worker):  # type: ignore[misc]  # gunicorn has no types
    """Serves complete requests with `threads` threads."""

    alive: bool
    # The process's own, where gunicorn.conf.py is read; else one that nobody asks.
    crowd = Crowd()
    shares = Shares()

    @property
    def share(self) -> Share:
        """What the other processes see of this one."""
        return self.shares.of(self.age)

    def run(self) -> None:
        """Serve until stopped; then answer what has arrived or is arriving, within a stop's time."""
        keep_settings(self.cfg)
        self.threads = ThreadPoolExecutor(self.cfg.threads, thread_name_prefix="web")
        self.door = Door(self._hand_off, self.PIPE, self.cfg.keepalive, self.share)
        for listener in self.sockets:
            self.door.open(listener, self.cfg.worker_connections)
        while self.alive and self.ppid == os.getppid():
            self._turn()
        self.alive = False
        self.door.shut()
        ends_at = time.monotonic() + self.cfg.graceful_timeout
        while self.door.callers and time.monotonic() < ends_at:
            self._turn()
        self.door.close()
        self.threads.shutdown(wait=False, cancel_futures=True)

    def _turn(self) -> None:
        self.notify()
        self.door.turn()

    def _hand_off(self, connection: Connection, head_only: bool) -> None:
        self.crowd.come()
        self.threads.submit(self._answer, connection, connection.incoming.as_parsed(), head_only)

    def _answer(self, connection: Connection, data: bytes, head_only: bool) -> None:
        try:
            answer = make_answer(self, connection, data, head_only)
        finally:
            self.crowd.go()
        connection.outgoing = answer.data
        connection.send()
        self.door.answered(connection, answer)
        self.nr += 1
        if self.nr >= self.max_requests:
            self.alive = False
