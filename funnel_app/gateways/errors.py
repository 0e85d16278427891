"""The two kinds of gateway failures: retry, or never retry."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError


class GatewayError(Exception):
    """A provider did not do what was asked; carries its name and message."""

    def __init__(self, provider: str, message: str) -> None:
        super().__init__(f"{provider}: {message}")
        self.provider = provider
        self.message = message


class Unavailable(GatewayError):
    """Try again later; retry_after is in seconds, None if unknown. The request may have been executed."""

    def __init__(
        self, provider: str, message: str, retry_after: float | None = None, *, in_doubt: bool = False
    ) -> None:
        super().__init__(provider, message)
        self.retry_after = retry_after
        self.in_doubt = in_doubt


class Rejected(GatewayError):
    """Never try again: the same request would always be refused; code is the provider's, or ours."""

    def __init__(self, provider: str, message: str, code: str = "") -> None:
        super().__init__(provider, message)
        self.code = code


@contextmanager
def redis_at_hand() -> Iterator[None]:
    """Turn every failure of Redis inside the block into Unavailable."""
    try:
        yield
    except RedisError as error:
        raise Unavailable("redis", str(error) or type(error).__name__) from error
