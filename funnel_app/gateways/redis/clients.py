"""Redis clients with timeouts: a patient one for workers, and a swift one for what a web request waits for."""

from functools import cache

from redis import Redis
from redis.backoff import NoBackoff
from redis.driver_info import DriverInfo
from redis.exceptions import ReadOnlyError
from redis.retry import Retry

PATIENT_S = 5.0
SWIFT_CONNECT_S = 0.2
SWIFT_READ_S = 0.3
# Which version this is: else each connection reads it again, from the files of the package.
DRIVER = DriverInfo()


def blocking_client(url: str) -> Redis:
    """Return a client that waits 5 s and tries a lost connection once more."""
    return _client(url, PATIENT_S, PATIENT_S, retries=1)


@cache
def fail_fast_client(url: str) -> Redis:
    """Return this process's client that gives up on a hanging Redis within half a second, and never tries again.

    All that ask by it share its few connections. After a fork it opens new ones.
    """
    return _client(url, SWIFT_CONNECT_S, SWIFT_READ_S, retries=0)


def _client(url: str, connect_s: float, read_s: float, retries: int) -> Redis:
    return Redis.from_url(
        url,
        driver_info=DRIVER,
        socket_connect_timeout=connect_s,
        socket_timeout=read_s,
        retry=Retry(NoBackoff(), retries=retries),
        # After a failover a connection stays with the node that was the primary, unless it is dropped.
        retry_on_error=[ReadOnlyError],
    )
