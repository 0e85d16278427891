"""Throttle: limits per minute, shared through Redis, and per process while Redis is away."""

import time
from collections.abc import Callable
from functools import cached_property

import structlog
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter

from funnel_app.gateways.redis.clients import fail_fast_client

log = structlog.get_logger(__name__)

NOT_AGAIN_FOR_S = 5.0


class Throttle:
    """Counts by name and key. Without Redis counts are per process; a call never fails for it."""

    def __init__(
        self, redis_url: str | None, *, per_minute: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._shared = _limiter(_redis_storage(redis_url)) if redis_url else None
        self._monotonic = monotonic
        self._away_until = 0.0

    @cached_property
    def _own(self) -> FixedWindowRateLimiter:
        # Made once it is needed, since it starts a thread.
        return _limiter(MemoryStorage())

    def hit(self, name: str, key: str, *, cost: int = 1) -> float:
        """Count one, or its cost; return 0 if allowed, else the seconds until it is."""
        if self._shared is not None and self._monotonic() >= self._away_until:
            try:
                return self._hit(self._shared, name, key, cost)
            except StorageError as error:
                self._away_until = self._monotonic() + NOT_AGAIN_FOR_S
                log.warning("throttle_in_memory", error=str(error))
        return self._hit(self._own, name, key, cost)

    def _hit(self, limiter: FixedWindowRateLimiter, name: str, key: str, cost: int) -> float:
        if limiter.hit(self._limit, name, key, cost=cost):
            return 0.0
        return max(limiter.get_window_stats(self._limit, name, key).reset_time - time.time(), 1.0)


def _limiter(storage: Storage) -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(storage)


def _redis_storage(url: str) -> RedisStorage:
    return RedisStorage(
        url,
        key_prefix="funnel:throttle",
        wrap_exceptions=True,
        connection_pool=fail_fast_client(url).connection_pool,
    )
