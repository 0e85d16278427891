"""The crowd: who is being answered in this process, and who of them waits for a commit already.

A transaction costs the same however many calls it takes. So whoever is to commit waits a moment for those who are on
their way to the same line.
"""

import time
from threading import Lock

# Half a dozen calls get so far in it. Who does not come, as somebody who looks at a page, holds nobody up for longer.
WAITS_AT_MOST_S = 0.01
LOOKS_EVERY_S = 0.0005


class Crowd:
    """The callers of one process, of whom `at_once` are answered at the same time."""

    def __init__(self, at_once: int = 1) -> None:
        self.at_once = at_once
        self._lock = Lock()
        self._inside = 0
        self._in_line = 0

    def come(self) -> None:
        """Count one more caller who is to be answered."""
        with self._lock:
            self._inside += 1

    def go(self) -> None:
        """Count one caller less: there is an answer."""
        with self._lock:
            self._inside -= 1

    def stand_in_line(self) -> None:
        """Count one more caller who waits for a commit."""
        with self._lock:
            self._in_line += 1

    def be_served(self, many: int) -> None:
        """Count so many callers less in line: their work is committed, or has failed."""
        with self._lock:
            self._in_line -= many

    def gather(self) -> None:
        """Wait until all who can be answered now wait for a commit, but not for long."""
        until = time.monotonic() + WAITS_AT_MOST_S
        while min(self._inside, self.at_once) > self._in_line and time.monotonic() < until:
            time.sleep(LOOKS_EVERY_S)
