"""Refusals: explain a Redis that answers and does not work, with the fix.

https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/ and the error codes.
"""

from dataclasses import dataclass

from redis import Redis
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import RedisError, ResponseError
from redis.exceptions import TimeoutError as TooSlow

from funnel_app.gateways.redis.scripts import WRITE_SIGN

SIGN_KEY, SIGN_KEPT_S = "funnel:sign", 60
# Texts in refusals, whose first words redis-py may remove, and the fix for each.
REFUSALS = {
    "READONLY": "is a replica and takes no writes: let REDIS_URL name the primary",
    "You can't write against a read only": "is a replica and takes no writes: let REDIS_URL name the primary",
    "OOM": "has no memory left and takes no writes: raise its maxmemory",
    "command not allowed when used memory": "has no memory left and takes no writes: raise its maxmemory",
    "MISCONF": "cannot save to its disk and takes no writes: make room there",
    "Errors writing to the AOF": "cannot save to its disk and takes no writes: make room there",
    "has no permissions": "lets our user not do that: allow it in the ACL (all commands, all keys)",
    "Authentication required": "asks for a password: put it into REDIS_URL",
    "WRONGPASS": "refuses the user or the password in REDIS_URL",
    "invalid username-password": "refuses the user or the password in REDIS_URL",
    "MOVED": "is a cluster, and Funnel works on a single one: let REDIS_URL name such",
    "CROSSSLOT": "is a cluster, and Funnel works on a single one: let REDIS_URL name such",
    "loading the dataset": "is still reading its file: it comes by itself",
}


@dataclass(frozen=True)
class RedisFault:
    """Why Redis does not work, as the end of a sentence, and whether it answers at all."""

    words: str
    answers: bool = True

    def __str__(self) -> str:
        """Return the words."""
        return self.words


AWAY = RedisFault("cannot be reached", answers=False)


def why_away(client: Redis) -> RedisFault | None:
    """Return why Redis does not work, tested with a write; None if it does."""
    try:
        client.eval(WRITE_SIGN, 1, SIGN_KEY, SIGN_KEPT_S)
    except RedisError as error:
        return explain(error)
    return None


def explain(error: RedisError) -> RedisFault:
    """Return what is wrong with Redis."""
    words = str(error)
    told = next((told for sign, told in REFUSALS.items() if sign in words), None)
    if told:
        return RedisFault(f"{told} ({_own_words(words)})")
    if isinstance(error, ResponseError):
        return RedisFault(f"refuses what it is asked: {words}")
    return AWAY if isinstance(error, Lost | TooSlow) else RedisFault(f"{AWAY} ({words})", answers=False)


def _own_words(words: str) -> str:
    """Return a refusal without the name of the failed script: a prefix until version 6, a suffix since."""
    if words.startswith("Error running script"):
        words = words.rpartition("@user_script")[2].lstrip(": 0123456789-")
    return words.partition(" script: ")[0].rstrip(".")
