"""Notion's client of this process: one connection, failures in the two families, at most one more try."""

import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import httpx
from notion_client import Client
from notion_client.errors import HTTPResponseError, NotionClientErrorBase, RequestTimeoutError

from funnel_app.gateways.errors import GatewayError, Rejected, Unavailable
from funnel_app.gateways.headers import retry_after

PROVIDER = "notion"
API_URL = "https://api.notion.com"
VERSION = "2025-09-03"
PAGE_SIZE = 100
PASSING_STATUSES = frozenset({408, 409, 429, 529})


class NotionCalls:
    """Calls of Notion's API. The client is made at the first call, once: each one made adds a log handler."""

    def __init__(
        self, token: str, api_url: str | None, timeout_s: float, transport: httpx.BaseTransport | None
    ) -> None:
        self._token = token
        self._api_url = (api_url or API_URL).rstrip("/")
        self._timeout_s = timeout_s
        self._transport = transport

    @cached_property
    def client(self) -> Client:
        """Notion's own client, without its retries: they would sleep up to two minutes inside a job."""
        return Client(
            client=httpx.Client(transport=self._transport),
            auth=self._token,
            base_url=self._api_url,
            timeout_ms=int(self._timeout_s * 1000),
            notion_version=VERSION,
            retry=False,
            logger=logging.getLogger("notion_client"),
            log_level=logging.WARNING,
        )

    def read(self, call: Callable[..., Any], *args: str, **query: Any) -> dict[str, Any]:
        """Make a call that changes nothing, once more if the connection was lost; Unavailable or Rejected."""
        return self._call(httpx.TransportError, call, *args, **query)

    def write(self, call: Callable[..., Any], *args: str, **body: Any) -> dict[str, Any]:
        """Make a call that changes something, once more only if it cannot have arrived; Unavailable or Rejected."""
        return self._call(httpx.ConnectError, call, *args, **body)

    def read_all(self, call: Callable[..., Any], *args: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield the results of a list, over all of its pages."""
        cursor: dict[str, str] = {}
        while True:
            answer = self.read(call, *args, page_size=PAGE_SIZE, **cursor, **query)
            yield from answer.get("results") or []
            if not answer.get("has_more") or not answer.get("next_cursor"):
                return
            cursor = {"start_cursor": answer["next_cursor"]}

    def close(self) -> None:
        """Close the connection, if one was made."""
        if "client" in self.__dict__:
            self.client.close()

    def _call(
        self, lost: type[httpx.TransportError], call: Callable[..., Any], *args: str, **kw: Any
    ) -> dict[str, Any]:
        try:
            return _answer(call, *args, **kw)
        except lost:
            return self._last_try(call, *args, **kw)
        except (NotionClientErrorBase, httpx.HTTPError, ValueError) as error:
            raise failure(error) from error

    def _last_try(self, call: Callable[..., Any], *args: str, **kw: Any) -> dict[str, Any]:
        try:
            return _answer(call, *args, **kw)
        except (NotionClientErrorBase, httpx.HTTPError, ValueError) as error:
            raise failure(error) from error


def _answer(call: Callable[..., Any], *args: str, **kw: Any) -> dict[str, Any]:
    answer = call(*args, **kw)
    if not isinstance(answer, dict):
        raise ValueError(f"the answer is not a JSON object: {str(answer)[:200]}")
    return answer


def failure(error: Exception) -> GatewayError:
    """Return what an exception of Notion's client means: try again, or never again."""
    if isinstance(error, HTTPResponseError):
        return _refusal(error)
    if isinstance(error, NotionClientErrorBase) and not isinstance(error, RequestTimeoutError):
        return Rejected(PROVIDER, str(error), code=str(error.code))
    return Unavailable(PROVIDER, str(error) or type(error).__name__)


def _refusal(error: HTTPResponseError) -> GatewayError:
    code, message = _words(error)
    if error.status in PASSING_STATUSES or error.status >= 500:
        return Unavailable(PROVIDER, message, retry_after(error.headers, datetime.now(UTC)))
    return Rejected(PROVIDER, message, code=code)


def _words(error: HTTPResponseError) -> tuple[str, str]:
    """Return code and message; from the body, since the client drops those of every code that it does not know."""
    try:
        said = json.loads(error.body)
        return str(said["code"]), f"{error.status} {said['code']}: {said['message']}"
    except (ValueError, TypeError, KeyError):
        return str(error.status), str(error)
