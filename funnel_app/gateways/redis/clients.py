"""Redis clients: a blocking one for workers, and a fail-fast one for web requests."""

from functools import cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import ReadOnlyError
from redis.retry import Retry

PATIENT_S = 5.0
SWIFT_CONNECT_S = 0.2
SWIFT_READ_S = 0.3
# The version of the library: otherwise each connection reads it from the package's files.
DRIVER = DriverInfo()


def blocking_client(url: str) -> Redis:
    """Return a client with a timeout of 5 s that retries a lost connection once."""
    return _client(url, PATIENT_S, PATIENT_S, retries=1)


@cache
def fail_fast_client(url: str) -> Redis:
    """Return this process's client that gives up on a hanging Redis within half a second, without retries.

    Its few connections are shared. After a fork it opens new ones.
    """
    return _client(url, SWIFT_CONNECT_S, SWIFT_READ_S, retries=0)


def _client(url: str, connect_s: float, read_s: float, retries: int) -> Redis:
    return Redis.from_url(
        url,
        driver_info=DRIVER,
        socket_connect_timeout=connect_s,
        socket_timeout=read_s,
        retry=Retry(NoBackoff(), retries=retries),
        # After a failover a connection stays with the former primary unless it is dropped.
        retry_on_error=[ReadOnlyError],
    )
