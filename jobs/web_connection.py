"""Connection: one caller's buffers, and its deadline."""

import socket
from contextlib import suppress
from enum import Enum
from typing import Any

from jobs.web_framing import Incoming

RECEIVE = 64 * 1024


class Stage(Enum):
    """What a connection is doing; except in ANSWERING it waits for the caller, and needs no thread."""

    IDLE = "between two requests"
    HEAD = "the head of a request is coming"
    BODY = "its body is coming"
    ANSWERING = "a thread has the request"
    WRITING = "the answer is going out"
    LEAVING = "all is said, and the caller may still be talking"


class Connection:
    """A caller's non-blocking socket."""

    def __init__(self, sock: socket.socket, client: Any, server: Any) -> None:
        sock.setblocking(False)
        self.sock, self.client, self.server = sock, client, server
        self.stage, self.until = Stage.IDLE, 0.0
        self.incoming, self.outgoing = Incoming(), b""
        # Whether the application has been asked with the head alone.
        self.asked = False
        self.watched = False

    def enter(self, stage: Stage, until: float) -> None:
        """Enter a stage that ends at a time of the monotonic clock."""
        self.stage, self.until = stage, until

    def receive(self) -> bool:
        """Read what has arrived; False if the caller is gone."""
        try:
            data = self.sock.recv(RECEIVE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if self.stage is not Stage.LEAVING:
            self.incoming.feed(data)
        return bool(data)

    def send(self) -> bool:
        """Send what the socket takes at once; False if the caller is gone."""
        try:
            self.outgoing = self.outgoing[self.sock.send(self.outgoing) :] if self.outgoing else b""
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def say_goodbye(self) -> None:
        """Shut down writing: closing while the caller sends would lose the response (RFC 9112, 9.6)."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the socket."""
        with suppress(OSError):
            self.sock.close()

    @property
    def held(self) -> int:
        """How many bytes are buffered for it."""
        return len(self.incoming.data) + len(self.outgoing)
