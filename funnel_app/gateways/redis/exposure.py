"""Exposure of Redis: whether it needs a password, and whether it listens beyond this machine."""

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address
from typing import Any, cast

from redis import Redis
from redis.exceptions import AuthenticationError, ResponseError

CREDENTIALS = ("username", "password", "credential_provider")


class Exposure(StrEnum):
    """Who can connect to a Redis."""

    GUARDED = "it lets nobody in without credentials"
    LOCAL = "it answers this machine alone"
    OPEN = "whoever reaches it gets in without a password"
    UNKNOWN = "it wants no password, and does not say whom it answers"


def exposure_of(redis: Redis) -> Exposure:
    """Return who can connect to this Redis, by trying without a password. Raises RedisError if it is away."""
    settings = redis.connection_pool.connection_kwargs
    if "path" in settings:
        return Exposure.LOCAL
    if _wants_password(redis):
        return Exposure.GUARDED
    if not _is_loopback(str(settings.get("host", ""))):
        return Exposure.OPEN
    return _by_its_words(redis)


def _wants_password(redis: Redis) -> bool:
    pool = redis.connection_pool
    without = {name: value for name, value in pool.connection_kwargs.items() if name not in CREDENTIALS}
    stranger = Redis(connection_pool=type(pool)(connection_class=pool.connection_class, **without))
    try:
        stranger.ping()
    except (AuthenticationError, ResponseError):
        return True
    finally:
        stranger.close()
    return False


def _by_its_words(redis: Redis) -> Exposure:
    # Hosted Redis often forbids reading its configuration.
    try:
        # One at a time: only Redis 7 takes several. https://redis.io/docs/latest/commands/config-get/
        said: dict[str, Any] = {**_setting(redis, "bind"), **_setting(redis, "protected-mode")}
    except ResponseError:
        return Exposure.UNKNOWN
    hosts = str(said.get("bind", "")).split()
    alone = hosts and all(_is_loopback(host.removeprefix("-")) for host in hosts)
    return Exposure.LOCAL if alone or said.get("protected-mode") == "yes" else Exposure.OPEN


def _setting(redis: Redis, name: str) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], redis.config_get(name))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
