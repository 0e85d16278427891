"""Budget: the rate of calls to Notion by all processes together; per process while Redis is away.

Each window has a budget of calls. A refusal (429, 529) halves it and stops all processes for as long as Notion says; it
recovers while there are none. The mirror yields to people and emails. During an outage nobody waits.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, cast

import structlog
from redis import Redis
from redis.exceptions import RedisError

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.scripts import NOTION_AWAY, NOTION_REFUSED, NOTION_TAKE

log = structlog.get_logger(__name__)

KEY = "funnel:notion:budget"
SLOWEST_PER_SECOND = 0.5
CALM_S = 10.0
GROWTH = 1.25
LONGEST_OUTAGE_HOLD_S = 10.0
DEFAULT_HOLD_S = 1.0
REMEMBERED_S = 600
NO_REDIS_FOR_S = 5.0
SHORTEST_PAUSE_S = 0.001


@dataclass(frozen=True, slots=True)
class Turn:
    """The seconds until a call may be made, 0 for now; `outage` counts the consecutive failures."""

    seconds: float
    outage: int = 0


class OwnBudget:
    """The budget of this process alone."""

    def __init__(self, per_second: float, now: Callable[[], float] = time.time) -> None:
        self._most = self._rate = per_second
        self._now = now
        self._lock = Lock()
        self._began = self._held = self._wanted = self._changed = float("-inf")
        self._used = self._outage = 0

    def take(self, *, low: bool) -> Turn:
        """Take one call from the budget, or none and return the wait; high priority goes first."""
        with self._lock:
            now = self._now()
            if self._held > now:
                return Turn(self._held - now, self._outage)
            self._grow(now)
            return self._take(now, low=low)

    def _take(self, now: float, *, low: bool) -> Turn:
        budget = max(int(self._rate), 1)
        window = budget / self._rate
        if now >= self._began + window:
            self._began, self._used = now, 0
        wait = self._began + window - now
        if low and self._wanted > now:
            return Turn(wait, self._outage)
        if self._used < budget:
            self._used += 1
            self._wanted = self._wanted if low else float("-inf")
            return Turn(0.0, self._outage)
        self._wanted = self._wanted if low else now + 2 * window
        return Turn(wait, self._outage)

    def _grow(self, now: float) -> None:
        if self._rate < self._most and now - self._changed > CALM_S:
            self._rate, self._changed = min(self._rate * GROWTH, self._most), now

    def refused(self, seconds: float) -> None:
        """Stop all calls for this long, and reduce the rate; simultaneous refusals count once."""
        with self._lock:
            now = self._now()
            if self._held <= now:
                self._rate, self._changed = max(self._rate / 2, SLOWEST_PER_SECOND), now
            self._held = max(self._held, now + seconds)

    def away(self) -> None:
        """Stop all calls for 2 s, doubled by each consecutive failure; simultaneous failures count once."""
        with self._lock:
            now = self._now()
            if self._held <= now:
                self._outage += 1
                self._held = now + min(2.0**self._outage, LONGEST_OUTAGE_HOLD_S)

    def well(self) -> None:
        """End an outage: Notion answered."""
        with self._lock:
            self._outage = 0


class SharedBudget:
    """The budget of all processes, in Redis and by its clock, with OwnBudget's methods. Raises RedisError."""

    def __init__(self, redis: Redis, per_second: float) -> None:
        self._redis = redis
        self._most = per_second
        self._take = redis.register_script(NOTION_TAKE)
        self._refused = redis.register_script(NOTION_REFUSED)
        self._away = redis.register_script(NOTION_AWAY)

    def take(self, *, low: bool) -> Turn:
        """Take one call from the budget, or none and return the wait."""
        args = [self._most, int(low), CALM_S, GROWTH, REMEMBERED_S]
        microseconds, outage = cast(list[int], self._take(keys=[KEY], args=args))
        return Turn(microseconds / 1_000_000, outage)

    def refused(self, seconds: float) -> None:
        """Stop all calls for this long, and reduce the rate."""
        self._refused(keys=[KEY], args=[self._most, seconds, SLOWEST_PER_SECOND, REMEMBERED_S])

    def away(self) -> None:
        """Stop all calls for a time that doubles with each consecutive failure."""
        self._away(keys=[KEY], args=[LONGEST_OUTAGE_HOLD_S, REMEMBERED_S])

    def well(self) -> None:
        """End an outage."""
        self._redis.hdel(KEY, "outage")


class NotionBudget:
    """Limits calls to the shared rate; while Redis is away each process limits itself."""

    def __init__(
        self,
        redis: Redis | None,
        per_second: float,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._own = OwnBudget(per_second, now)
        self._shared = SharedBudget(redis, per_second) if redis is not None else None
        self._no_redis_until = float("-inf")
        self._now = now
        self.sleep = sleep

    def wait(self, *, low: bool, patience_s: float) -> int:
        """Wait for a turn and take it; return how many failures in a row came before it.

        Unavailable where the turn is further away than the patience, and at once while Notion is away.
        """
        waited = 0.0
        while (turn := self._ask("take", low=low)).seconds > 0:
            if turn.outage and turn.seconds > patience_s / 2:
                raise Unavailable(
                    "notion", f"it gave no proper answer, and is asked again in {turn.seconds:.0f} s", turn.seconds
                )
            if waited + turn.seconds > patience_s:
                raise Unavailable("notion", f"its rate is used up; free again in {turn.seconds:.0f} s", turn.seconds)
            pause = max(turn.seconds, SHORTEST_PAUSE_S)
            self.sleep(pause)
            waited += pause
        return int(turn.outage)

    def refused(self, seconds: float | None) -> None:
        """Keep to what a 429 or 529 asks for."""
        self._ask("refused", DEFAULT_HOLD_S if seconds is None else seconds)

    def away(self) -> None:
        """Note that Notion did not answer, so that nobody waits for it again and again."""
        self._ask("away")

    def well(self) -> None:
        """Note that Notion answered after an outage."""
        self._ask("well")

    def _ask(self, verb: str, *args: Any, **how: Any) -> Any:
        if self._shared is not None and self._now() >= self._no_redis_until:
            try:
                return getattr(self._shared, verb)(*args, **how)
            except RedisError as error:
                self._no_redis_until = self._now() + NO_REDIS_FOR_S
                log.warning("notion_budget_in_memory", error=str(error))
        return getattr(self._own, verb)(*args, **how)
