"""Notion's client of this process: the shared budget, failures in the two families, at most one more try."""

import logging
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import httpcore  # noqa: F401 - what httpx speaks through, else read by each process at its first call
import httpx
from notion_client import Client

from funnel_app.gateways.errors import GatewayError, Rejected
from funnel_app.gateways.notion.budget import NotionBudget
from funnel_app.gateways.notion.failures import (
    FAILURES,
    PROVIDER,
    SLOW_DOWN,
    UNWRITABLE_WORDS,
    failure,
    is_away,
    may_read_again,
    status_of,
    was_not_done,
)

API_URL = "https://api.notion.com"
VERSION = "2025-09-03"
PAGE_SIZE = 100
PER_SECOND = 3.0
AGAIN_AFTER_S = 0.5
# Whom to trust takes 9 MB to read: once, before a process forks, for all clients.
TRUST = httpx.create_ssl_context()


class NotionCalls:
    """Calls of Notion's API, each at its turn in the shared budget; low ones, the mirror's, come after the others.

    The client is made at the first call, once: each one made adds a log handler.
    """

    def __init__(
        self,
        token: str,
        api_url: str | None = None,
        timeout_s: float = 10.0,
        transport: httpx.BaseTransport | None = None,
        *,
        budget: NotionBudget | None = None,
        low: bool = False,
        patience_s: float = 3.0,
    ) -> None:
        self._token = token
        self._api_url = (api_url or API_URL).rstrip("/")
        self._timeout_s = timeout_s
        self._transport = transport
        self._budget = budget or NotionBudget(None, PER_SECOND)
        self._low = low
        self._patience_s = patience_s

    @cached_property
    def client(self) -> Client:
        """Notion's own client, without its retries: they would sleep up to two minutes inside a job."""
        if not self._token.isascii():
            raise Rejected(PROVIDER, UNWRITABLE_WORDS, code="unauthorized")
        return Client(
            client=httpx.Client(verify=TRUST, transport=self._transport),
            auth=self._token,
            base_url=self._api_url,
            timeout_ms=int(self._timeout_s * 1000),
            notion_version=VERSION,
            retry=False,
            logger=logging.getLogger("notion_client"),
            # Its warnings repeat errors that are raised.
            log_level=logging.ERROR,
        )

    def read(self, call: Callable[..., Any], *args: str, **query: Any) -> dict[str, Any]:
        """Make a read call, retried once after a transient failure; Unavailable or Rejected."""
        return self._call(may_read_again, call, *args, **query)

    def write(self, call: Callable[..., Any], *args: str, **body: Any) -> dict[str, Any]:
        """Make a write call, retried once only if it was certainly not executed; Unavailable or Rejected."""
        return self._call(was_not_done, call, *args, **body)

    def read_all(self, call: Callable[..., Any], *args: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield the results of a list, over all pages."""
        cursor: dict[str, str] = {}
        while True:
            answer = self.read(call, *args, page_size=PAGE_SIZE, **cursor, **query)
            yield from answer.get("results") or []
            if not answer.get("has_more") or not answer.get("next_cursor"):
                return
            cursor = {"start_cursor": answer["next_cursor"]}

    def find_source(self, database_id: str) -> str:
        """Return the data source of a database: the id in Notion's address bar is the database's, without rows."""
        database = self.read(self.client.databases.retrieve, database_id)
        sources = database.get("data_sources") or []
        if not sources:
            raise Rejected(PROVIDER, f"Database {database_id} has no data source.", code="no_data_source")
        return str(sources[0]["id"])

    def close(self) -> None:
        """Close the connection, if one was made."""
        if "client" in self.__dict__:
            self.client.close()

    def _call(
        self, may_repeat: Callable[[Exception], bool], call: Callable[..., Any], *args: str, **kw: Any
    ) -> dict[str, Any]:
        try:
            return self._try(call, *args, **kw)
        except FAILURES as error:
            fault = self._noted(error)
            if not (may_repeat(error) and self._has_waited(error, fault)):
                raise self._final(error, fault) from error
        try:
            return self._try(call, *args, **kw)
        except FAILURES as error:
            raise self._final(error, self._noted(error)) from error

    def _try(self, call: Callable[..., Any], *args: str, **kw: Any) -> dict[str, Any]:
        failures_before = self._budget.wait(low=self._low, patience_s=self._patience_s)
        answer = _answer(call, *args, **kw)
        if failures_before:
            self._budget.well()
        return answer

    def _noted(self, error: Exception) -> GatewayError:
        fault = failure(error)
        if status_of(error) in SLOW_DOWN:
            self._budget.refused(getattr(fault, "retry_after", None))
        return fault

    def _final(self, error: Exception, fault: GatewayError) -> GatewayError:
        if is_away(error):
            self._budget.away()
        return fault

    def _has_waited(self, error: Exception, fault: GatewayError) -> bool:
        """Wait before the retry; False if Notion asks for longer than we wait."""
        if status_of(error) in SLOW_DOWN:
            # The budget keeps this delay, for all processes.
            return (getattr(fault, "retry_after", None) or 0.0) <= self._patience_s
        if not isinstance(error, httpx.TransportError):
            self._budget.sleep(AGAIN_AFTER_S)
        return True


def _answer(call: Callable[..., Any], *args: str, **kw: Any) -> dict[str, Any]:
    answer = call(*args, **kw)
    if not isinstance(answer, dict):
        raise ValueError(f"the answer is not a JSON object: {str(answer)[:200]}")
    return answer
