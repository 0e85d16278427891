"""A worker's heartbeat in Redis. Its loop gives it; a thread renews it, for a Redis that lost it."""

import time
from collections.abc import Callable

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.status.ready import WORKER
from funnel_app.gateways.errors import Unavailable

RENEWED_EVERY_S = 5.0


class Sign:
    """When a worker's loop last ran; one whose loop hangs is soon considered dead."""

    def __init__(self, member: Callable[[], str]) -> None:
        self._member = member
        self._at: float | None = None

    def give(self, deps: Deps) -> None:
        """Record that the loop runs now."""
        self._at = time.monotonic()
        self._write(deps, 0.0)

    def renew(self, deps: Deps) -> None:
        """Repeat the last heartbeat if it is recent. Without Redis no loop can give one."""
        if self._at is None:
            return
        age_s = time.monotonic() - self._at
        if age_s > deps.settings.silent_after.total_seconds():
            return
        try:
            self._write(deps, age_s)
        except Unavailable:
            self._at = time.monotonic()

    def _write(self, deps: Deps, age_s: float) -> None:
        ttl_s = max(1, int(deps.settings.silent_after.total_seconds() - age_s))
        deps.queues.send_heartbeat(WORKER, ttl_s, self._member(), age_s=age_s)
