"""Callers: the connections of a process, and which of them may be closed."""

import selectors
from collections.abc import Callable
from functools import partial

from jobs.web_connection import Connection, Stage

HELD_AT_MOST = 16 * 1024 * 1024


class Callers:
    """The open connections, and those that a selector watches."""

    def __init__(self, poller: selectors.BaseSelector) -> None:
        self._poller = poller
        # The longest waiting come first.
        self._inside: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._inside)

    def watch(self, connection: Connection, event: int, call: Callable[[Connection], None]) -> None:
        """Report when a connection can be read or written."""
        if not connection.watched:
            self._inside.pop(connection, None)
            self._inside[connection] = None
        register = self._poller.modify if connection.watched else self._poller.register
        register(connection.sock, event, partial(call, connection))
        connection.watched = True

    def unwatch(self, connection: Connection) -> None:
        """Stop watching a connection; it is being processed."""
        self._poller.unregister(connection.sock)
        connection.watched = False

    def close(self, connection: Connection) -> None:
        """Close a caller's connection."""
        if connection.watched:
            self.unwatch(connection)
        self._inside.pop(connection, None)
        connection.close()

    def at(self, *stages: Stage) -> list[Connection]:
        """Return the connections at these stages."""
        return [connection for connection in self._inside if connection.stage in stages]

    def overdue(self, now: float, *stages: Stage) -> list[Connection]:
        """Return the connections at these stages whose time is up."""
        return [connection for connection in self.at(*stages) if connection.until <= now]

    def close_longest_waiting(self) -> bool:
        """Close the longest waiting connection to make room; False if all are being processed."""
        waiting = next((connection for connection in self._inside if connection.watched), None)
        if waiting is not None:
            self.close(waiting)
        return waiting is not None

    def make_room(self) -> None:
        """Close the longest waiting connections while all together use too much memory."""
        while sum(connection.held for connection in self._inside) > HELD_AT_MOST and self.close_longest_waiting():
            continue
