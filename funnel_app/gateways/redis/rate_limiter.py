"""Rate limiter and pause of sending, shared by all workers through Redis."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from redis import Redis
from redis.exceptions import RedisError

from funnel_app.gateways.errors import redis_at_hand
from funnel_app.gateways.redis.scripts import BACK_OFF, CLEAR, MAY_PROBE, PAUSE, TAKE_TURN, TURN_OVER

LEARNED_TTL_S = 3600
SLOWEST_RATE = 0.2
# The slot of a worker that died in its call ends after the longest call, 7 s, and a second.
LONGEST_CALL_S = 9
PROBE_EVERY_S = 30
# A pause is remembered after its end, so that a lasting outage backs off further.
REMEMBERED_S = 900


class SendingRate:
    """Slots for calls to Resend, evenly spaced over all workers by Redis's clock.

    Resend counts calls by arrival, which is some time between our start and the response. So a call occupies its slot
    until a second after its response, and there are never more than the team's limit.
    """

    KEY = "funnel:rate:next"
    LEARNED_KEY = "funnel:rate:learned"
    CALLS_KEY = "funnel:rate:calls"

    def __init__(self, redis: Redis, *, rate_per_second: float, share: float) -> None:
        self._redis = redis
        self._rate = rate_per_second
        self._share = share
        self._take = redis.register_script(TAKE_TURN)
        self._answered = redis.register_script(TURN_OVER)

    def wait(self, caller: UUID) -> float:
        """Take a slot and return 0 if one is free; else take none and return the seconds until one may be.

        The caller asks again after the wait, and can renew its lease in between.
        """
        return self._ask(str(caller))

    def peek(self) -> float:
        """Return the seconds until a slot may be free, 0 for now, without taking one."""
        return self._ask("")

    def answered(self, caller: UUID) -> None:
        """Record that a call is over, or was not made; never raises, since slots also expire."""
        with suppress(RedisError):
            self._answered(keys=[self.CALLS_KEY], args=[str(caller)])

    def per_second(self) -> float:
        """Return the calls a second that we may make: our share of the provider's limit."""
        with redis_at_hand():
            learned = cast(bytes | None, self._redis.get(self.LEARNED_KEY))
        return max(float(learned or self._rate) * self._share, SLOWEST_RATE)

    def learn(self, rate: float) -> None:
        """Adopt the provider's limit in all workers, for an hour."""
        if rate > 0:
            with redis_at_hand():
                self._redis.set(self.LEARNED_KEY, rate, ex=LEARNED_TTL_S)

    def _ask(self, caller: str) -> float:
        keys = [self.KEY, self.LEARNED_KEY, self.CALLS_KEY]
        with redis_at_hand():
            microseconds = self._take(keys=keys, args=[self._rate, self._share, SLOWEST_RATE, caller, LONGEST_CALL_S])
        return int(cast(int, microseconds)) / 1_000_000


@dataclass(frozen=True, slots=True)
class Pause:
    """Why nothing is sent, and the earliest end."""

    kind: str
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Backoff:
    """The first and the longest delay, and the jitter of each."""

    first_s: float
    longest_s: float
    jitter: float


BACKOFFS = {"outage": Backoff(1.0, 60.0, jitter=2.0), "config": Backoff(15.0, 300.0, jitter=1.0)}


class SendingPause:
    """One pause for all workers. It stands until clear(); after its time one caller at a time may probe."""

    KEY = "funnel:sending:pause"

    def __init__(self, redis: Redis, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._now = now
        self._pause = redis.register_script(PAUSE)
        self._back_off = redis.register_script(BACK_OFF)
        self._clear = redis.register_script(CLEAR)
        self._may_probe = redis.register_script(MAY_PROBE)

    def pause(self, reason: str, seconds: float, kind: str) -> None:
        """Pause all sending for this long; a longer pause stays."""
        self._run(self._pause, kind, reason, self._now(), seconds, REMEMBERED_S)

    def back_off(self, reason: str, kind: str) -> float:
        """Pause for twice as long as the last time; return the seconds left.

        An outage starts at 1 to 2 s and ends at 60, a configuration fault at 15 s and 300. Workers that fail together
        count once: an active pause is not extended.
        """
        backoff = BACKOFFS[kind]
        first = backoff.first_s * random.uniform(1.0, backoff.jitter)  # noqa: S311 (spreads load, guards nothing)
        until = self._run(self._back_off, kind, reason, self._now(), first, backoff.longest_s, REMEMBERED_S)
        return max(float(until) - self._now(), 0.0)

    def current(self) -> Pause | None:
        """Return the pause until it is cleared, even after its time: then may_probe decides who goes on."""
        with redis_at_hand():
            found = cast(dict[bytes, bytes], self._redis.hgetall(self.KEY))
        if not found:
            return None
        until = datetime.fromtimestamp(float(found[b"until"]), UTC)
        return Pause(found[b"kind"].decode(), found[b"reason"].decode(), until)

    def may_probe(self) -> bool:
        """Return True to one caller in 30 s after the pause's time, and to all without a pause."""
        return bool(self._run(self._may_probe, self._now(), PROBE_EVERY_S))

    def leave_probe(self) -> None:
        """Let another caller probe at once: this one had nothing to send."""
        with redis_at_hand():
            self._redis.hdel(self.KEY, "probe")

    def clear(self) -> None:
        """End the pause and its backoff after a successful call. A pause for a wrong clock stays."""
        self._run(self._clear, "clock")

    def lift(self) -> None:
        """End the pause, whatever its reason."""
        with redis_at_hand():
            self._redis.delete(self.KEY)

    def _run(self, script: Callable[..., Any], *args: str | float) -> Any:
        with redis_at_hand():
            return script(keys=[self.KEY], args=list(args))
