"""The chat, the dead man's switch and our own public address."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

Payload = dict[str, Any]


class FakeAlerts:
    """A chat and a dead man's switch that remember what came."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, str]] = []
        self.pinged: list[str] = []
        self.fault = self.deaf = None

    def post(self, url: str, text: str) -> None:
        if self.fault:
            raise self.fault
        self.posted.append((url, text))

    def ping(self, url: str) -> None:
        if self.fault or self.deaf:
            raise self.fault or self.deaf
        self.pinged.append(url)


class FakeReceivers:
    """Receivers of events that remember what they took; `fault` may refuse one by its body."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Payload, dict[str, str]]] = []
        self.fault: Callable[[str, Payload], Exception | None] = lambda url, event: None
        self.dies_after = 0

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> None:
        event = json.loads(body)
        if fault := self.fault(url, event):
            raise fault
        self.taken.append((url, event, headers))
        if self.dies_after and len(self.taken) == self.dies_after:
            raise SystemExit


class FakePublic:
    """Our public address, which answers unless a test says otherwise."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.signups: list[tuple[str, Payload]] = []
        self.answer: Callable[[str, Payload], Payload] = lambda campaign, payload: {"enrolment_id": str(UUID(int=1))}

    def check(self) -> None:
        if self.fault:
            raise self.fault

    def sign_up(self, campaign: str, payload: Payload) -> Payload:
        if self.fault:
            raise self.fault
        self.signups.append((campaign, payload))
        return self.answer(campaign, payload)
