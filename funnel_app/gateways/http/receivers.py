"""Receivers: outside addresses that get events, signed by Standard Webhooks.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from contextlib import suppress
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from funnel_app.gateways.connecting import why_away
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.http.prompt import prompt_session

TIMEOUT_S = 10.0
LONGEST_ANSWER = 64 * 1024
# Statuses about the address and not the event: redirect, authentication, not found, gone, too many.
OF_THE_ADDRESS = frozenset({401, 403, 404, 405, 408, 410, 421, 425, 429})
_GONE = ": nothing takes events there, set another address in EVENTS_WEBHOOK_URL or take it out"
_UNAUTHENTICATED = ": it wants another proof, see whether it has the secret of EVENTS_WEBHOOK_SECRET"
HINTS = {401: _UNAUTHENTICATED, 403: _UNAUTHENTICATED, 404: _GONE, 410: _GONE}


def receiver_key(url: str) -> str:
    """Return the ledger's key of an address, which is itself a secret."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def receiver_host(url: str) -> str:
    """Return the part of an address that may be shown."""
    return urlsplit(url).hostname or "a receiver"


def signed_headers(secrets: Sequence[str], event_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """Return the headers that sign a body, with a signature for each secret, so that they can be rotated."""
    signed = f"{event_id}.{at_s}.".encode() + body
    digests = [hmac.new(_key(secret), signed, hashlib.sha256).digest() for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


class Receivers:
    """Posts events. Raises Unavailable if a receiver does not work now, Rejected if it refuses this event."""

    def __init__(self) -> None:
        self._session = prompt_session()
        # Connections are kept, since most receivers use TLS; cookies are not.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        """Send a body to a receiver; only a 2xx counts as accepted."""
        host = receiver_host(url)
        headers = {**headers, "Content-Type": "application/json", "User-Agent": "Funnel"}
        try:
            with self._session.post(
                url, data=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False, stream=True
            ) as answer:
                status = answer.status_code
                _pass_over(answer)
        except requests.ReadTimeout:
            raise Unavailable(host, f"did not answer within {TIMEOUT_S:.0f} seconds") from None
        except OSError as error:  # all of requests' own, and a file of certificates that is not there
            raise Unavailable(host, f"cannot be reached: {why_away(error)}") from None
        if 200 <= status < 300:
            return
        told = f"answered {status}"
        if status >= 500 or status < 400 or status in OF_THE_ADDRESS:
            raise Unavailable(host, told + _hint(status))
        raise Rejected(host, told, str(status))


def _hint(status: int) -> str:
    """Return what an owner can do about an address that refuses events; empty if waiting may help."""
    if 300 <= status < 400:
        return ": it has moved, set its new address in EVENTS_WEBHOOK_URL"
    return HINTS.get(status, "")


def _pass_over(answer: requests.Response) -> None:
    """Read and discard a response's body, so that the connection can be reused; only the status counts.

    It may be endless, truncated or of a wrong length; the event counts as accepted anyway.
    """
    with suppress(HTTPError, OSError):
        answer.raw.read(LONGEST_ANSWER)
