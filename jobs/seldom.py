"""Seldom: what would be said with every job or second while something is away is said once a minute."""

import time

EVERY_S = 60.0


class Seldom:
    """Remembers when something was last said in this process."""

    def __init__(self) -> None:
        self._said_at = float("-inf")

    def is_due(self) -> bool:
        """Say whether a minute has gone by since this was last answered with yes."""
        if time.monotonic() - self._said_at < EVERY_S:
            return False
        self._said_at = time.monotonic()
        return True
