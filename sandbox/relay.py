"""Relay: the website's server-side calls to Funnel, as docs/website-integration.md describes."""

import json
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from sandbox.state import Config, Json

HOOK = "/webhook/christmas/signup"
TIMEOUT_S = 5.0
TRIES = 3
PAUSE_S = 0.5
TRY_AGAIN = frozenset({429, 503})


@dataclass(frozen=True)
class Told:
    """A call's result: Funnel's status and answer, or in `fault` why there is none."""

    status: int | None = None
    answer: Json = field(default_factory=dict)
    fault: str | None = None

    @property
    def taken(self) -> bool:
        """Return whether Funnel accepted the call."""
        return self.status in {200, 202}

    @property
    def errors(self) -> dict[str, str]:
        """Return the faults by field, in words; empty if no field was refused."""
        errors = self.answer.get("errors")
        return {name: _words(fault) for name, fault in errors.items()} if isinstance(errors, dict) else {}

    @property
    def words(self) -> str:
        """Return the answer as JSON that a person can read."""
        return json.dumps(self.answer, indent=2, ensure_ascii=False)


def call_hook(config: Config, payload: Json) -> Told:
    """Call Funnel's signup hook with its secret, up to three times: repeating a call is safe."""
    if not config.funnel_url or not config.hook_secret:
        return Told(fault="This website knows of no Funnel: start it with FUNNEL_URL and HOOK_SECRET set.")
    for attempt in range(1, TRIES + 1):
        told = _call(config.funnel_url, config.hook_secret, payload)
        if told.taken or (told.fault is None and told.status not in TRY_AGAIN) or attempt == TRIES:
            break
        time.sleep(attempt * PAUSE_S)
    return told


def _call(url: str, secret: str, payload: Json) -> Told:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    request = Request(f"{url}{HOOK}", json.dumps(payload).encode(), headers)
    try:
        with urlopen(request, timeout=TIMEOUT_S) as response:
            return _read(response.status, response.read())
    except HTTPError as error:
        return _read(error.code, error.read())
    except (OSError, HTTPException) as error:
        return Told(fault=f"Funnel does not answer at {url}: {getattr(error, 'reason', error)}.")


def _words(fault: Any) -> str:
    if isinstance(fault, dict):
        return " ".join(f"{name}: {_words(inner)}" for name, inner in fault.items())
    return " ".join(map(str, fault)) if isinstance(fault, list) else str(fault)


def _read(status: int, body: bytes) -> Told:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return Told(status, answer)
    return Told(status, fault=f"What answers at that address with {status} is not Funnel: it sent no JSON object.")
