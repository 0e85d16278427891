"""Connecting: tell a request that never left from one whose response was lost."""

import ssl
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from funnel_app.gateways.http.prompt import PromptResponse

# requests raises these while it prepares the request, before it connects.
UNWRITABLE = (requests.exceptions.InvalidHeader, UnicodeEncodeError)
# These occur before the first byte of the request; name resolution is a NewConnectionError, and a proxy that refuses
# CONNECT a ProxyError.
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
# Above any response that we read; an incoming email may have 40 MB.
LARGEST, PIECE = 8_000_000, 65_536


class TooLarge(requests.RequestException):
    """A response exceeds the limit; what was read is discarded."""


def whole(response: requests.Response) -> bytes:
    """Read a streamed response body. Raises TooLarge."""
    found = bytearray()
    with response:
        for piece in response.iter_content(PIECE):
            found += piece
            if len(found) > LARGEST:
                raise TooLarge("the answer is too large")
    return bytes(found)


class _Connecting:
    """A connection that reports any failure to connect, TLS and CONNECT included, as one never made."""

    def connect(self: Any) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except (NewConnectionError, ConnectTimeoutError):
            raise
        except (OSError, HTTPException, HTTPError) as error:
            raise NewConnectionError(self, str(error)) from error


class _HTTPConnection(_Connecting, HTTPConnection):
    response_class = PromptResponse


class _HTTPSConnection(_Connecting, HTTPSConnection):
    response_class = PromptResponse


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class ConnectingAdapter(HTTPAdapter):
    """A transport of requests that tells failures to connect from failures after the request left."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools of direct connections."""
        super().init_poolmanager(*args, **options)
        _watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Return the pools of connections through a proxy."""
        manager = super().proxy_manager_for(*args, **options)
        _watch(manager)
        return manager


def _watch(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def cannot_be_written(error: BaseException | None) -> bool:
    """Say whether a header has an illegal character: it can only be the key, as all others are ours."""
    return isinstance(error, UNWRITABLE)


def why_not_sent(error: BaseException | None) -> str | None:
    """Return why no byte of the request left, naming the setting at fault if there is one; None if uncertain."""
    found = list(_inside(error))
    if _lacks_certificates(error):
        return NO_CERTIFICATES
    if not any(isinstance(inner, BEFORE_THE_REQUEST) for inner in found):
        return None
    hint = next((told for kind, told in HINTS.items() if any(isinstance(inner, kind) for inner in found)), None)
    words = _words(found[-1])
    return f"{hint} ({words})" if hint else words


def _lacks_certificates(error: object) -> bool:
    # requests opens the file before it connects, and raises a bare OSError; later errors are wrapped.
    return isinstance(error, OSError) and not isinstance(error, requests.RequestException) and error.errno is None


def _words(error: object) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.rpartition(">: ")[2][:LONGEST].rstrip(".")


def _inside(error: object, depth: int = 8) -> Iterator[object]:
    """Yield an exception and those wrapped in it, innermost last."""
    while isinstance(error, BaseException) and depth:
        yield error
        depth -= 1
        wrapped = (getattr(error, "reason", None), *error.args, error.__cause__)
        error = next((inner for inner in wrapped if isinstance(inner, BaseException)), None)
