"""Who is inside the door: the connections of a process, and which of them may be sent away."""

import selectors
from collections.abc import Callable
from functools import partial

from jobs.web_connection import Connection, Stage

HELD_AT_MOST = 16 * 1024 * 1024


class Callers:
    """The open connections, and for which of them a selector watches."""

    def __init__(self, poller: selectors.BaseSelector) -> None:
        self._poller = poller
        # Those that have waited longest come first.
        self._inside: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._inside)

    def watch(self, connection: Connection, event: int, call: Callable[[Connection], None]) -> None:
        """Call back whenever a connection can be read or written; until then it waits."""
        if not connection.watched:
            self._inside.pop(connection, None)
            self._inside[connection] = None
        register = self._poller.modify if connection.watched else self._poller.register
        register(connection.sock, event, partial(call, connection))
        connection.watched = True

    def unwatch(self, connection: Connection) -> None:
        """Call nobody back for a connection; it is in work."""
        self._poller.unregister(connection.sock)
        connection.watched = False

    def close(self, connection: Connection) -> None:
        """Part with a caller."""
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
        """Part with the caller that waits longest, to make room for another; False where all are in work."""
        waiting = next((connection for connection in self._inside if connection.watched), None)
        if waiting is not None:
            self.close(waiting)
        return waiting is not None

    def make_room(self) -> None:
        """Part with those who wait longest while all together take too much memory."""
        while sum(connection.held for connection in self._inside) > HELD_AT_MOST and self.close_longest_waiting():
            continue
