"""Door: one thread listens to all callers, and passes complete requests to others.

A request is passed on when its last byte has arrived, a response is sent as fast as it is taken, and each has a
deadline. A body that does not follow its head is awaited only if the application has no response to the head alone: for
an unknown address, a wrong secret or an old signature it has one.
"""

import os
import selectors
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue

import structlog

from jobs.web_answer import GO_ON, HEAD_TOO_LARGE, TOO_SLOW, Answer
from jobs.web_balancing import GIVES_WAY_FOR_S, Listener, Share
from jobs.web_callers import Callers
from jobs.web_connection import Connection, Stage
from jobs.web_framing import HEAD_AT_MOST, Incoming

# Time for the whole head, and then for the whole body.
REQUEST_WITHIN_S = 10.0
TAKEN_WITHIN_S = 30.0
LEAVES_WITHIN_S = 2.0
# Most bodies follow their heads at once: then the application is asked once.
BODY_FOLLOWS_WITHIN_S = 0.05
LOOK_EVERY_S = 0.25

log = structlog.get_logger()


class Door:
    """All callers of one process. `hand_off` takes a connection and whether only its head has arrived."""

    def __init__(
        self, hand_off: Callable[[Connection, bool], None], wake: tuple[int, int], idle_s: float, share: Share
    ) -> None:
        self._hand_off, self._idle_s, self._share = hand_off, idle_s, share
        self._listeners: list[Listener] = []
        self._answered: SimpleQueue[tuple[Connection, Answer]] = SimpleQueue()
        self._poller = selectors.DefaultSelector()
        self._poller.register(wake[0], selectors.EVENT_READ, partial(self._take_answers, wake[0]))
        self._wake_by = wake[1]
        self._looked_at = time.monotonic()
        self.callers = Callers(self._poller)

    def open(self, listener: socket.socket, most: int) -> None:
        """Accept callers from a listening socket, up to the limit."""
        self._listeners.append(Listener(listener, self._poller, self._share, partial(self._accept, most)))

    def shut(self) -> None:
        """Accept no more callers; present ones are served, and idle ones soon closed."""
        self._share.leave()
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        # An idle caller may be sending its next request just now.
        self._idle_s = LEAVES_WITHIN_S
        for connection in self.callers.at(Stage.IDLE):
            connection.until = min(connection.until, time.monotonic() + LEAVES_WITHIN_S)

    def turn(self) -> None:
        """Serve whoever is ready, and return within a quarter of a second."""
        gives_way = any(listener.gives_way for listener in self._listeners)
        for key, _ in self._poller.select(GIVES_WAY_FOR_S if gives_way else LOOK_EVERY_S):
            key.data()
        now = time.monotonic()
        for listener in self._listeners:
            listener.look(now)
            self._share.note(len(self.callers))
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            self._look_at_all(now)

    def close(self) -> None:
        """Close the remaining connections."""
        for connection in self.callers.at(*Stage):
            self.callers.close(connection)
        self._poller.close()

    def answered(self, connection: Connection, answer: Answer) -> None:
        """Return a connection with its response; thread-safe."""
        self._answered.put((connection, answer))
        with suppress(BlockingIOError):  # full of pending wake-ups
            os.write(self._wake_by, b".")

    def _take_answers(self, wake: int) -> None:
        with suppress(BlockingIOError):
            os.read(wake, 4096)
        with suppress(Empty):
            while True:
                self._take_answer(*self._answered.get_nowait())

    def _take_answer(self, connection: Connection, answer: Answer) -> None:
        if answer.wants_body:
            connection.outgoing = GO_ON if connection.incoming.expects_continue else b""
            connection.send()
            connection.stage, connection.asked = Stage.BODY, True
            self._await_more(connection)
        else:
            connection.incoming, connection.asked = Incoming(answer.left), False
            self._write(connection, answer.stays)

    def _accept(self, most: int, listener: socket.socket) -> None:
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            # Another process took it: nobody has to leave for it.
            return
        except OSError as fault:
            log.warning("connection_not_taken", error=str(fault))
            self.callers.close_longest_waiting()
            return
        if len(self.callers) >= most:
            self.callers.close_longest_waiting()
        connection = Connection(sock, client, listener.getsockname())
        connection.enter(Stage.IDLE, time.monotonic() + REQUEST_WITHIN_S)
        self._await_more(connection)

    def _await_more(self, connection: Connection) -> None:
        self.callers.watch(connection, selectors.EVENT_READ, self._readable)

    def _readable(self, connection: Connection) -> None:
        if not connection.receive():
            self.callers.close(connection)
        elif connection.stage is not Stage.LEAVING:
            self._go_on(connection)

    def _go_on(self, connection: Connection) -> None:
        """Pass a request on if it is complete, else wait for more."""
        incoming, until = connection.incoming, time.monotonic() + REQUEST_WITHIN_S
        if connection.stage is Stage.IDLE and incoming.data:
            connection.enter(Stage.HEAD, until)
        if incoming.is_whole:
            self._ask(connection)
        elif connection.stage is Stage.HEAD and incoming.has_head:
            connection.enter(Stage.BODY, until)
            if incoming.expects_continue:
                self._ask(connection, head_only=True)
        elif not incoming.has_head and len(incoming.data) > HEAD_AT_MOST:
            self._refuse(connection, HEAD_TOO_LARGE)

    def _ask(self, connection: Connection, head_only: bool = False) -> None:
        self.callers.unwatch(connection)
        connection.stage = Stage.ANSWERING
        self._hand_off(connection, head_only)

    def _refuse(self, connection: Connection, answer: bytes) -> None:
        connection.outgoing = answer
        self._write(connection, stays=False)

    def _write(self, connection: Connection, stays: bool) -> None:
        """Send the rest of a response, then wait for the next request, or for the caller to close."""
        now = time.monotonic()
        if not connection.send():
            self.callers.close(connection)
        elif connection.outgoing:
            if connection.stage is not Stage.WRITING:
                connection.enter(Stage.WRITING, now + TAKEN_WITHIN_S)
            self.callers.watch(connection, selectors.EVENT_WRITE, partial(self._write, stays=stays))
        elif stays:
            connection.enter(Stage.IDLE, now + self._idle_s)
            self._await_more(connection)
            self._go_on(connection)
        else:
            connection.say_goodbye()
            connection.enter(Stage.LEAVING, now + LEAVES_WITHIN_S)
            self._await_more(connection)

    def _look_at_all(self, now: float) -> None:
        """Ask about heads without bodies, and close connections that take too long, or too much memory."""
        for connection in self.callers.at(Stage.BODY):
            if not connection.asked and connection.until - REQUEST_WITHIN_S + BODY_FOLLOWS_WITHIN_S <= now:
                self._ask(connection, head_only=True)
        slow = self.callers.overdue(now, Stage.HEAD, Stage.BODY)
        for connection in slow:
            self._refuse(connection, TOO_SLOW)
        if slow:
            log.info("callers_too_slow", count=len(slow))
        for connection in self.callers.overdue(now, Stage.IDLE, Stage.WRITING, Stage.LEAVING):
            self.callers.close(connection)
        self.callers.make_room()
