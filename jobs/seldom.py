"""Seldom: log something at most once a minute while a failure lasts."""

import time

EVERY_S = 60.0


class Seldom:
    """Remembers when something was last logged in this process."""

    def __init__(self) -> None:
        self._said_at = float("-inf")

    def is_due(self) -> bool:
        """Say whether a minute has passed since the last True."""
        if time.monotonic() - self._said_at < EVERY_S:
            return False
        self._said_at = time.monotonic()
        return True
