"""The rate of sending and its pause, shared by all workers through Redis."""

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
# Of a worker that died in its call nobody says that it is over: 7 s is the longest, and a second after it.
LONGEST_CALL_S = 9
PROBE_EVERY_S = 30
# The pause is remembered this long after it ended, so that an outage which goes on backs off further.
REMEMBERED_S = 900


class SendingRate:
    """Turns to call Resend, evenly spaced over all workers by Redis's own clock.

    Resend counts the calls of a second by when they reach it, which nobody here knows exactly: after the call was
    begun, and before it was answered. So a call counts until a second after its answer, and there are never more than
    the team may make.
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
        """Take a turn and return 0 if one is due now; else take none and return the seconds until one may be.

        So a caller asks again after the wait, and can renew its lease in between.
        """
        return self._ask(str(caller))

    def peek(self) -> float:
        """Return the seconds until a turn may be due, 0 for now, and take none."""
        return self._ask("")

    def answered(self, caller: UUID) -> None:
        """Say that a caller's call is over, or was not made; never raises, since a turn also ends by itself."""
        with suppress(RedisError):
            self._answered(keys=[self.CALLS_KEY], args=[str(caller)])

    def per_second(self) -> float:
        """Return how many calls a second we may make now: our share of what the provider allows."""
        with redis_at_hand():
            learned = cast(bytes | None, self._redis.get(self.LEARNED_KEY))
        return max(float(learned or self._rate) * self._share, SLOWEST_RATE)

    def learn(self, rate: float) -> None:
        """Follow the requests a second that the provider allows, in all workers, for an hour."""
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
    """Why no email goes out, and until when at least."""

    kind: str
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long the first pause is, how long the longest, and by how much each varies."""

    first_s: float
    longest_s: float
    jitter: float


BACKOFFS = {"outage": Backoff(1.0, 60.0, jitter=2.0), "config": Backoff(15.0, 300.0, jitter=1.0)}


class SendingPause:
    """One pause for all workers. It stands until clear(); when its time is up, one caller at a time may probe."""

    KEY = "funnel:sending:pause"

    def __init__(self, redis: Redis, now: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._now = now
        self._pause = redis.register_script(PAUSE)
        self._back_off = redis.register_script(BACK_OFF)
        self._clear = redis.register_script(CLEAR)
        self._may_probe = redis.register_script(MAY_PROBE)

    def pause(self, reason: str, seconds: float, kind: str) -> None:
        """Pause all sending for so long; a pause that is longer already stays as it is."""
        self._run(self._pause, kind, reason, self._now(), seconds, REMEMBERED_S)

    def back_off(self, reason: str, kind: str) -> float:
        """Pause for twice as long as the last time, and return the seconds that are left of the pause.

        An outage begins with 1 to 2 s and ends at 60, a config fault with 15 s and 300. Workers that fail together
        count once: while a pause stands, another changes nothing.
        """
        backoff = BACKOFFS[kind]
        first = backoff.first_s * random.uniform(1.0, backoff.jitter)  # noqa: S311 (spreads load, guards nothing)
        until = self._run(self._back_off, kind, reason, self._now(), first, backoff.longest_s, REMEMBERED_S)
        return max(float(until) - self._now(), 0.0)

    def current(self) -> Pause | None:
        """Return the pause until it is cleared, even when its time is up: then may_probe says who goes on."""
        with redis_at_hand():
            found = cast(dict[bytes, bytes], self._redis.hgetall(self.KEY))
        if not found:
            return None
        until = datetime.fromtimestamp(float(found[b"until"]), UTC)
        return Pause(found[b"kind"].decode(), found[b"reason"].decode(), until)

    def may_probe(self) -> bool:
        """Return True to one caller in 30 s once the pause's time is up, and to all where there is no pause."""
        return bool(self._run(self._may_probe, self._now(), PROBE_EVERY_S))

    def leave_probe(self) -> None:
        """Let another caller probe at once: this one had nothing to try it with."""
        with redis_at_hand():
            self._redis.hdel(self.KEY, "probe")

    def clear(self) -> None:
        """End the pause and forget its backoff: something was sent. That proves nothing about a wrong clock."""
        self._run(self._clear, "clock")

    def lift(self) -> None:
        """End the pause, whatever it was for."""
        with redis_at_hand():
            self._redis.delete(self.KEY)

    def _run(self, script: Callable[..., Any], *args: str | float) -> Any:
        with redis_at_hand():
            return script(keys=[self.KEY], args=list(args))
