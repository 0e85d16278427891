"""Notion's failures: what each means, in the two families, and whether the call may come once more."""

import json
from datetime import UTC, datetime

import httpx
from notion_client.errors import HTTPResponseError, NotionClientErrorBase, RequestTimeoutError

from funnel_app.gateways.errors import GatewayError, Rejected, Unavailable
from funnel_app.gateways.response_headers import retry_after

PROVIDER = "notion"
PASSING_STATUSES = frozenset({408, 409, 429, 529})
# Notion says these before it does anything, so that even a write may come again.
NOT_DONE = frozenset({409, 429, 529})
SLOW_DOWN = frozenset({429, 529})
AWAY = frozenset({502, 503, 504})
# A header cannot be written; what httpx says of it holds the token.
UNWRITABLE = (httpx.LocalProtocolError,)
# Connecting includes TLS; a proxy that answers CONNECT with a refusal is a ProxyError.
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, *UNWRITABLE)
UNWRITABLE_WORDS = "NOTION_TOKEN holds a line break or another character that no token has: copy it again"
FAILURES = (NotionClientErrorBase, httpx.HTTPError, ValueError)


def status_of(error: Exception) -> int:
    """Return the status of Notion's answer; 0 where there was none."""
    return error.status if isinstance(error, HTTPResponseError) else 0


def may_read_again(error: Exception) -> bool:
    """Say whether a failed read may come once more."""
    if isinstance(error, UNWRITABLE):
        return False
    return isinstance(error, httpx.TransportError) or status_of(error) in PASSING_STATUSES or status_of(error) >= 500


def was_not_done(error: Exception) -> bool:
    """Say whether a call certainly changed nothing, so that even a write may come once more."""
    return isinstance(error, NEVER_SENT) or status_of(error) in NOT_DONE


def is_away(error: Exception) -> bool:
    """Say whether a failure is an outage, which other calls would meet as well."""
    lost = isinstance(error, httpx.TransportError | RequestTimeoutError) and not isinstance(error, UNWRITABLE)
    return lost or status_of(error) in AWAY


def failure(error: Exception) -> GatewayError:
    """Return Unavailable or Rejected for an exception of Notion's client."""
    if isinstance(error, HTTPResponseError):
        return _refusal(error)
    if isinstance(error, NotionClientErrorBase) and not isinstance(error, RequestTimeoutError):
        return Rejected(PROVIDER, str(error), code=str(error.code))
    if isinstance(error, UNWRITABLE):
        return Rejected(PROVIDER, UNWRITABLE_WORDS, code="unauthorized")
    return Unavailable(PROVIDER, str(error) or type(error).__name__, in_doubt=not was_not_done(error))


def _refusal(error: HTTPResponseError) -> GatewayError:
    code, message = _words(error)
    if error.status in PASSING_STATUSES or error.status >= 500:
        wait = retry_after(error.headers, datetime.now(UTC))
        return Unavailable(PROVIDER, message, wait, in_doubt=not was_not_done(error))
    return Rejected(PROVIDER, message, code=code)


def _words(error: HTTPResponseError) -> tuple[str, str]:
    """Return code and message, from the body, since the client drops those of unknown codes."""
    try:
        said = json.loads(error.body)
        return str(said["code"]), f"{error.status} {said['code']}: {said['message']}"
    except (ValueError, TypeError, KeyError):
        return str(error.status), str(error)
