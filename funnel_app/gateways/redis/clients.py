"""Redis clients with timeouts: a patient one for workers, and a swift one for what a web request waits for."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENT_S = 5.0
SWIFT_CONNECT_S = 0.2
SWIFT_READ_S = 0.3


def blocking_client(url: str) -> Redis:
    """Return a client that waits 5 s and tries a lost connection once more."""
    return Redis.from_url(
        url, socket_connect_timeout=PATIENT_S, socket_timeout=PATIENT_S, retry=Retry(NoBackoff(), retries=1)
    )


def fail_fast_client(url: str) -> Redis:
    """Return a client that gives up on a hanging Redis within half a second, and never tries again by itself."""
    return Redis.from_url(
        url, socket_connect_timeout=SWIFT_CONNECT_S, socket_timeout=SWIFT_READ_S, retry=Retry(NoBackoff(), retries=0)
    )
