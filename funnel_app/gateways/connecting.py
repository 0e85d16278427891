"""Connecting: tell a request that never left from one whose response was lost."""

import ssl
from collections.abc import Iterator, Mapping

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

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


def why_away(error: BaseException) -> str:
    """Return why a call failed in words without its address, which may be a secret: the system's, or TLS's."""
    if _lacks_certificates(error):
        return NO_CERTIFICATES
    inner = list(_inside(error))[-1]
    told_by_library = isinstance(inner, requests.RequestException) or not isinstance(inner, OSError)
    return type(error).__name__ if told_by_library else _words(inner)


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
