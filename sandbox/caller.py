"""Any caller of a Funnel that is known by its address alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import Request

from sandbox.stack import call_json


class Broken(Exception):
    """The journey cannot go on; the message says why, and what to do."""


class Away(Broken):
    """Nobody answers there as Funnel does."""


@dataclass(frozen=True)
class Caller:
    """An external caller with the hooks' secret."""

    url: str
    secret: str

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return status and answer of a GET; Away where nobody answers as Funnel does."""
        return self._ask(path, None, {})

    def post(self, path: str, payload: Mapping[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        """Return status and answer of a POST, taken once however often it comes with this key; Away as above."""
        return self._ask(path, json.dumps(payload).encode(), {"Idempotency-Key": key})

    def _ask(self, path: str, body: bytes | None, more: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json", **more}
        try:
            return call_json(Request(f"{self.url}{path}", body, headers))
        except (OSError, ValueError) as fault:
            raise Away(f"{self.url}{path} does not answer as Funnel does: {fault}") from fault
