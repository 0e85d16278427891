"""Balancing: take new callers, but leave them for a moment to a process that has fewer.

A caller stays with the process that took its connection, a proxy for hours. If nobody gives way, the process that
happens to run takes fifteen of sixteen, and the others have nothing to do.
"""

import mmap
import selectors
import socket
import time
from collections.abc import Callable

GIVES_WAY_FOR_S = 0.004
MOST_PROCESSES = 64
# Of a place that no process has.
NOBODY = 2**32 - 1


class Shares:
    """How many callers each process has; processes that are forked after this is made see each other's numbers."""

    def __init__(self) -> None:
        self._counts = memoryview(mmap.mmap(-1, 4 * MOST_PROCESSES)).cast("I")
        for place in range(MOST_PROCESSES):
            self._counts[place] = NOBODY

    def of(self, number: int) -> "Share":
        """Return the share of a process, by its number among all that were ever started."""
        return Share(self._counts, number % MOST_PROCESSES)


class Share:
    """One process's place among the numbers."""

    def __init__(self, counts: memoryview, place: int) -> None:
        self._counts, self._place = counts, place

    def note(self, callers: int) -> None:
        """Let the others see how many callers this process has."""
        self._counts[self._place] = callers

    def leave(self) -> None:
        """Let nobody wait for this process to take a caller."""
        self._counts[self._place] = NOBODY

    def is_larger(self) -> bool:
        """Say whether another process has fewer callers."""
        return min(self._counts) < self._counts[self._place] < NOBODY


class Listener:
    """A listening socket that a selector watches. `take` accepts one caller from it."""

    def __init__(
        self, sock: socket.socket, poller: selectors.BaseSelector, share: Share, take: Callable[[socket.socket], None]
    ) -> None:
        sock.setblocking(False)
        self._sock, self._poller, self._share, self._take = sock, poller, share, take
        self._back_at: float | None = None
        self._watch()

    @property
    def gives_way(self) -> bool:
        """Say whether others may take its callers now."""
        return self._back_at is not None

    def look(self, now: float) -> None:
        """Come back if the others had their time, and take whom none of them took."""
        if self._back_at is not None and self._back_at <= now:
            self._back_at = None
            self._take(self._sock)
            self._watch()

    def close(self) -> None:
        """Take no more callers."""
        if not self.gives_way:
            self._poller.unregister(self._sock)
        self._sock.close()

    def _watch(self) -> None:
        self._poller.register(self._sock, selectors.EVENT_READ, self._ready)

    def _ready(self) -> None:
        if self._share.is_larger():
            self._poller.unregister(self._sock)
            self._back_at = time.monotonic() + GIVES_WAY_FOR_S
        else:
            self._take(self._sock)
