"""Tell a request of which no byte left, so that nothing went out, from one whose answer was lost."""

import ssl
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

# requests raises these while it writes the request down, before it opens anything.
UNWRITABLE = (requests.exceptions.InvalidHeader, UnicodeEncodeError)
# These come before the first byte of the request; name resolution is a kind of NewConnectionError, and a proxy that
# answers CONNECT with a refusal a kind of ProxyError.
BEFORE_THE_REQUEST = (
    *UNWRITABLE,
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidURL,
    NewConnectionError,
    ConnectTimeoutError,
    ssl.SSLCertVerificationError,
)
HINTS: Mapping[type[BaseException], str] = {
    requests.exceptions.ProxyError: "the proxy that HTTPS_PROXY names does not let the call through",
    ssl.SSLError: "the TLS handshake failed; where a proxy reads TLS, REQUESTS_CA_BUNDLE must name its certificate",
}
NO_CERTIFICATES = "REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names a file that is not there"
LONGEST = 200
# More than any answer that is read; an email that a stranger wrote may come to 40 MB.
LARGEST, PIECE = 8_000_000, 65_536


class TooLarge(requests.RequestException):
    """An answer is larger than it may be; what was read of it is thrown away."""


def whole(response: requests.Response) -> bytes:
    """Return the body of an answer that is read as it comes. Raises TooLarge."""
    found = bytearray()
    with response:
        for piece in response.iter_content(PIECE):
            found += piece
            if len(found) > LARGEST:
                raise TooLarge("the answer is too large")
    return bytes(found)


class _Connecting:
    """A connection whose every failure to be made, TLS and the proxy's CONNECT included, is one that was never made."""

    def connect(self: Any) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except (NewConnectionError, ConnectTimeoutError):
            raise
        except (OSError, HTTPException, HTTPError) as error:
            raise NewConnectionError(self, str(error)) from error


class _HTTPConnection(_Connecting, HTTPConnection):
    pass


class _HTTPSConnection(_Connecting, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class ConnectingAdapter(HTTPAdapter):
    """requests' transport, for which a failure while connecting can be told from one after the request left."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **options)
        _watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Return the pools of the connections through a proxy."""
        manager = super().proxy_manager_for(*args, **options)
        _watch(manager)
        return manager


def _watch(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def cannot_be_written(error: BaseException | None) -> bool:
    """Tell whether a header has a character that no header may have: the key, since all others are our own."""
    return isinstance(error, UNWRITABLE)


def why_not_sent(error: BaseException | None) -> str | None:
    """Return why no byte of the request left, naming the setting where one is to blame; None if that is not certain."""
    found = list(_inside(error))
    if _lacks_certificates(error):
        return NO_CERTIFICATES
    if not any(isinstance(inner, BEFORE_THE_REQUEST) for inner in found):
        return None
    hint = next((told for kind, told in HINTS.items() if any(isinstance(inner, kind) for inner in found)), None)
    words = _words(found[-1])
    return f"{hint} ({words})" if hint else words


def _lacks_certificates(error: object) -> bool:
    # requests looks for the file before it connects, and raises a bare OSError; whatever comes later it wraps.
    return isinstance(error, OSError) and not isinstance(error, requests.RequestException) and error.errno is None


def _words(error: object) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.rpartition(">: ")[2][:LONGEST].rstrip(".")


def _inside(error: object, depth: int = 8) -> Iterator[object]:
    """Yield an exception and those that requests and urllib3 wrapped into it, the innermost last."""
    while isinstance(error, BaseException) and depth:
        yield error
        depth -= 1
        wrapped = (getattr(error, "reason", None), *error.args, error.__cause__)
        error = next((inner for inner in wrapped if isinstance(inner, BaseException)), None)
