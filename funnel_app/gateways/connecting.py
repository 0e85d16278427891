"""Tell a connection that was never made, so that nothing went out, from one that was lost."""

import ssl
from collections.abc import Iterator

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

# urllib3 raises these before the first byte of the request; name resolution is a kind of NewConnectionError.
BEFORE_THE_REQUEST = (
    requests.ConnectTimeout,
    NewConnectionError,
    ConnectTimeoutError,
    ssl.SSLCertVerificationError,
)


def never_connected(error: BaseException | None) -> bool:
    """Tell whether it is certain that no byte of the request left; False where that is not known."""
    return any(isinstance(found, BEFORE_THE_REQUEST) for found in _inside(error))


def _inside(error: object, depth: int = 6) -> Iterator[object]:
    """Yield an exception and those that requests and urllib3 wrapped into its arguments or reason."""
    if not isinstance(error, BaseException) or depth == 0:
        return
    yield error
    for wrapped in (*error.args, getattr(error, "reason", None)):
        yield from _inside(wrapped, depth - 1)
