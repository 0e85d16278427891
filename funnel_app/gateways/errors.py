"""The two families of failures that a gateway raises: try again, or never again."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError


class GatewayError(Exception):
    """A provider did not do what was asked; carries its name and its own words."""

    def __init__(self, provider: str, message: str) -> None:
        super().__init__(f"{provider}: {message}")
        self.provider = provider
        self.message = message


class Unavailable(GatewayError):
    """Try again later; retry_after is in seconds, None where the provider did not say; in doubt, it may be done."""

    def __init__(
        self, provider: str, message: str, retry_after: float | None = None, *, in_doubt: bool = False
    ) -> None:
        super().__init__(provider, message)
        self.retry_after = retry_after
        self.in_doubt = in_doubt


class Rejected(GatewayError):
    """Never again: the same request will always be refused; code is the provider's, or ours where it has none."""

    def __init__(self, provider: str, message: str, code: str = "") -> None:
        super().__init__(provider, message)
        self.code = code


@contextmanager
def redis_at_hand() -> Iterator[None]:
    """Raise Unavailable for every failure of Redis inside the block."""
    try:
        yield
    except RedisError as error:
        raise Unavailable("redis", str(error) or type(error).__name__) from error
