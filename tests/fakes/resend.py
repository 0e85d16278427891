"""Resend, as tests script it."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.resend.account import EVENTS, Endpoint, Quota, Usage
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.gateways.resend.inbox import IncomingEmail


class FakeMailer:
    """Resend as the contract says: one email a key, whatever comes back; answers can be scripted."""

    def __init__(self) -> None:
        self.accepted: dict[str, tuple[list[dict[str, Any]], tuple[str, ...]]] = {}
        self.calls: list[tuple[str, list[dict[str, Any]]]] = []
        self.script: list[Answer | Callable[[], None] | tuple[str, Answer]] = []
        self.last_events: dict[str, str] = {}
        self.asked: list[str] = []
        self.asking_fault: Exception | None = None
        self._lock = Lock()

    def send(self, payloads: Sequence[dict[str, Any]], idempotency_key: str) -> Answer:
        with self._lock:
            self.calls.append((idempotency_key, list(payloads)))
            step = self.script.pop(0) if self.script else None
            if isinstance(step, Answer):
                return step
            answer = self._accept(payloads, idempotency_key)
        if isinstance(step, tuple):
            return step[1]
        if step is not None:
            step()
        return answer

    def _accept(self, payloads: Sequence[dict[str, Any]], key: str) -> Answer:
        known = self.accepted.get(key)
        if known and known[0] != list(payloads):
            return Answer(AnswerKind.CONFLICT, detail="409 invalid_idempotent_request")
        if not known:
            ids = tuple(f"resend-{len(self.accepted)}-{n}" for n in range(len(payloads)))
            known = self.accepted[key] = (list(payloads), ids)
        return Answer(AnswerKind.ACCEPTED, ids=known[1])

    def last_event(self, resend_id: str) -> str | None:
        """What became of an email as Resend tells it when it is asked."""
        self.asked.append(resend_id)
        if self.asking_fault:
            raise self.asking_fault
        return self.last_events.get(resend_id)

    def sent(self) -> list[dict[str, Any]]:
        """Every email that went out, once for each time it did."""
        return [payload for payloads, _ in self.accepted.values() for payload in payloads]

    def sent_to(self) -> list[str]:
        return [payload["to"][0] for payload in self.sent()]


class FakeInbox:
    """What people wrote, by the id that Resend gave it."""

    def __init__(self) -> None:
        self.letters: dict[str, IncomingEmail] = {}
        self.message_ids: dict[str, str] = {}
        self.fault: Exception | None = None
        self.asked: list[str] = []

    def read(self, received_id: str) -> IncomingEmail:
        self.asked.append(received_id)
        if self.fault:
            raise self.fault
        if received_id not in self.letters:
            raise Rejected("resend", "Email not found", code="not_found")
        return self.letters[received_id]

    def message_id(self, resend_id: str) -> str | None:
        self.asked.append(resend_id)
        return self.message_ids.get(resend_id)


class FakeAccount:
    """Resend's account: the domain verified, our address told of everything, hardly anything used."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.receiving: set[str] = set()
        self.known = {"mail.businessx.example": "verified"}
        self.told = [Endpoint("1", "https://funnel.example/webhook/resend", "enabled", EVENTS)]
        self.used = Usage((Quota("daily", 3, 100), Quota("monthly", 40, 3000)), 10.0)

    def domains(self) -> dict[str, str]:
        if self.fault:
            raise self.fault
        return self.known

    def receiving_domains(self) -> set[str]:
        return self.receiving

    def endpoints(self) -> list[Endpoint]:
        return self.told

    def add_endpoint(self, url: str) -> str:
        self.told.append(Endpoint("2", url, "enabled", EVENTS))
        return "whsec_new"

    def usage(self) -> Usage:
        return self.used
