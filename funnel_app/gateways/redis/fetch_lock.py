"""Fetch lock: one of all processes fetches a template from Notion, at most once a minute."""

from typing import cast

from redis import Redis

from funnel_app.gateways.errors import redis_at_hand

ONCE_IN_S = 60
ASK_AGAIN_AFTER_S = 30


class FetchLock:
    """Locks on fetching, and the latest failures. Every call raises Unavailable without Redis."""

    CLAIM = "funnel:template:claim:"
    FAULT = "funnel:template:fault:"

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def claim(self, key: str) -> bool:
        """Return True to one caller a minute: the one that fetches this template."""
        with redis_at_hand():
            return bool(self._redis.set(self.CLAIM + key, 1, nx=True, ex=ONCE_IN_S))

    def give_up(self, key: str, words: str, *, everywhere: bool) -> None:
        """Remember for half a minute why this template could not be fetched; everywhere: why none can."""
        with redis_at_hand():
            self._redis.set(self.FAULT + ("" if everywhere else key), words, ex=ASK_AGAIN_AFTER_S)
            self._redis.delete(self.CLAIM + key)

    def fault(self, key: str) -> str | None:
        """Return why this template could not be fetched within the last half minute; None if unknown."""
        with redis_at_hand():
            found = cast(list[bytes | None], self._redis.mget(self.FAULT, self.FAULT + key))
        return next((words.decode() for words in found if words), None)
