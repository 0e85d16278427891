"""Process status in Redis: which processes were seen and when, queue lengths, and the doctor's last findings."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

from redis import Redis
from redis.exceptions import NoPermissionError, ResponseError
from rq.registry import FailedJobRegistry

from funnel_app.gateways.errors import redis_at_hand
from funnel_app.gateways.redis.clients import fail_fast_client
from funnel_app.gateways.redis.exposure import Exposure, exposure_of
from funnel_app.gateways.redis.own_jobs import UNREADABLE_KEY, queue_at
from funnel_app.gateways.redis.queue import CLOCK_KEY, QUEUES, SEEN_KEY

FORGOTTEN_AFTER_S = 86_400
UNAUTHENTICATED_KEY = "funnel:unproven"
# The most that endless unauthenticated calls can fill.
MOST_UNAUTHENTICATED = 5000
LEDGER_KEY = "funnel:ledger"
HOPS_KEY = "funnel:hops"
EXAMINED_KEY = "funnel:examined"


@dataclass(frozen=True)
class RedisFacts:
    """How a Redis is configured; `keeps` is None if it does not say whether it persists."""

    version: str
    policy: str
    keeps: bool | None
    exposure: Exposure = Exposure.GUARDED


@dataclass(frozen=True)
class Depths:
    """How many jobs wait on each queue and on the clock, failed, and became dead letters today."""

    queues: dict[str, int]
    clock: int
    failed: int
    unreadable: int


class ProcessStatus:
    """Reads the status. Every call raises Unavailable within half a second if Redis is away."""

    def __init__(self, redis_url: str, now: Callable[[], float] = time.time) -> None:
        self._redis = fail_fast_client(redis_url)
        self._now = now

    def seen(self) -> dict[str, datetime]:
        """Return when each process was last seen; a worker is `worker:` and its name. Deletes yesterday's."""
        with redis_at_hand():
            found = cast(dict[bytes, bytes], self._redis.hgetall(SEEN_KEY))
            old = [name for name, at in found.items() if self._now() - float(at) > FORGOTTEN_AFTER_S]
            if old:
                self._redis.hdel(SEEN_KEY, *old)
        return {name.decode(): datetime.fromtimestamp(float(at), UTC) for name, at in found.items() if name not in old}

    def facts(self) -> RedisFacts:
        """Return how Redis is configured."""
        with redis_at_hand():
            info = _info(self._redis)
            keeps = None if not info else bool(info.get("aof_enabled")) or _saves(self._redis)
            exposure = exposure_of(self._redis)
        return RedisFacts(
            version=str(info.get("redis_version", "?")),
            policy=str(info.get("maxmemory_policy", "noeviction")),
            keeps=keeps,
            exposure=exposure,
        )

    def depths(self) -> Depths:
        """Return the queue lengths."""
        with redis_at_hand():
            queues = [queue_at(name, self._redis) for name in QUEUES]
            return Depths(
                queues={queue.name: queue.count for queue in queues},
                clock=self._redis.zcard(CLOCK_KEY),
                failed=sum(FailedJobRegistry(queue=queue).get_job_count(cleanup=False) for queue in queues),
                unreadable=self._redis.zcount(UNREADABLE_KEY, self._now() - FORGOTTEN_AFTER_S, "+inf"),
            )

    def keep_examined(self, words: str) -> None:
        """Store the doctor's findings for a day."""
        with redis_at_hand():
            self._redis.set(EXAMINED_KEY, words, ex=FORGOTTEN_AFTER_S)

    def examined(self) -> str | None:
        """Return the doctor's last findings; None if there are none within a day."""
        with redis_at_hand():
            found = cast(bytes | None, self._redis.get(EXAMINED_KEY))
        return found.decode() if found is not None else None

    def note_hops(self, hops: int) -> None:
        """Store for a day how many proxies forwarded an authenticated call."""
        with redis_at_hand():
            self._redis.set(HOPS_KEY, hops, ex=FORGOTTEN_AFTER_S)

    def hops(self) -> int | None:
        """Return the last stored number; None if there was no call within a day."""
        with redis_at_hand():
            found = cast(bytes | None, self._redis.get(HOPS_KEY))
        return int(found) if found is not None else None

    def note_unauthenticated(self, hook: str) -> None:
        """Count an unauthenticated call of a hook."""
        with redis_at_hand(), self._redis.pipeline() as pipe:
            pipe.zadd(UNAUTHENTICATED_KEY, {f"{hook} {uuid4().hex}": self._now()})
            pipe.zremrangebyrank(UNAUTHENTICATED_KEY, 0, -MOST_UNAUTHENTICATED - 1)
            pipe.expire(UNAUTHENTICATED_KEY, FORGOTTEN_AFTER_S)
            pipe.execute()

    def unauthenticated(self, within_s: float) -> Counter[str]:
        """Return the number of unauthenticated calls of each hook in the last seconds."""
        with redis_at_hand():
            found = cast(list[bytes], self._redis.zrangebyscore(UNAUTHENTICATED_KEY, self._now() - within_s, "+inf"))
        return Counter(member.decode().rpartition(" ")[0] for member in found)

    def remember_ledger(self, ledger_id: str) -> None:
        """Store the id of the ledger in use."""
        with redis_at_hand():
            self._redis.set(LEDGER_KEY, ledger_id)

    def remembered_ledger(self) -> str | None:
        """Return the id of the ledger last used; None if unknown."""
        with redis_at_hand():
            found = cast(bytes | None, self._redis.get(LEDGER_KEY))
        return found.decode() if found is not None else None

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()


def _info(redis: Redis) -> dict[str, Any]:
    # An ACL may forbid it, and only these facts need it.
    try:
        return redis.info()
    except NoPermissionError:
        return {}


def _saves(redis: Redis) -> bool | None:
    # A Redis that is rented often lets nobody read its configuration.
    try:
        return bool(cast(dict[str, str], redis.config_get("save")).get("save"))
    except ResponseError:
        return None
