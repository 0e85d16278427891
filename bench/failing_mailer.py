"""A failing Resend: it refuses, does not answer, kills its caller, and reports late, twice or never."""

import random
from typing import Any

from funnel_app.gateways.resend.answers import Answer, AnswerKind
from tests.fakes import FakeMailer

ONE_IN = 10
REFUSALS = (
    Answer(AnswerKind.RATE_LIMITED, detail="429 rate_limit_exceeded: Too many requests", retry_after=1.0),
    Answer(AnswerKind.QUOTA, detail="429 daily_quota_exceeded: used up", retry_after=600.0),
    Answer(AnswerKind.PAUSED, detail="403 invalid_api_key: API key is invalid"),
    Answer(AnswerKind.UNREACHABLE, detail="500 HttpClientError: connection refused"),
    Answer(AnswerKind.CONCURRENT, detail="409 concurrent_idempotent_requests: still running"),
    Answer(AnswerKind.INVALID, detail="422 validation_error: this cannot be sent"),
    Answer(AnswerKind.UNKNOWN, detail="503 service_unavailable: try again"),
)
LOST = Answer(AnswerKind.UNKNOWN, detail="500 HttpClientError: the answer did not come in 7 s")
OUTCOMES = ("bounced", "complained", "suppressed", "failed", "delivery_delayed")


class WorkerKilled(Exception):
    """A worker died at this point; whatever it had committed stays."""


class FailingMailer(FakeMailer):
    """A mail service where one call and one report in ten go wrong."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        self.waiting: list[tuple[str, str, str, str]] = []
        self.told = 0

    def happens(self) -> bool:
        """Return whether this is the one in ten."""
        return self.chance.randrange(ONE_IN) == 0

    def send(self, payloads: Any, idempotency_key: str) -> Answer:
        """Accept or fail a call; a repeated key gets the first answer."""
        if not self.happens():
            return self._taken(payloads, idempotency_key)
        fault = self.chance.choice(["refuse", "lose", "kill", "kill after"])
        if fault == "refuse":
            return self.chance.choice(REFUSALS)
        if fault == "kill":
            raise WorkerKilled
        self._taken(payloads, idempotency_key)
        if fault == "kill after":
            raise WorkerKilled
        return LOST

    def _taken(self, payloads: Any, key: str) -> Answer:
        fresh = key not in self.accepted
        answer = super().send(payloads, key)
        if fresh and answer.kind is AnswerKind.ACCEPTED:
            for payload, resend_id in zip(payloads, answer.ids, strict=True):
                self._plan_reports(payload, str(resend_id))
        return answer

    def _plan_reports(self, payload: dict[str, Any], resend_id: str) -> None:
        email_id = next(tag["value"] for tag in payload["tags"] if tag["name"] == "email")
        outcome = self.chance.choice(OUTCOMES) if self.happens() else "delivered"
        kinds = ["sent", outcome, *(["delivered"] if outcome == "delivery_delayed" else [])]
        self.last_events[resend_id] = kinds[-1]
        oddity = self.chance.choice(["never", "twice", "disorder"]) if self.happens() else None
        if oddity == "never":
            return
        if oddity == "disorder":
            kinds.reverse()
        for kind in kinds * (2 if oddity == "twice" else 1):
            self.waiting.append((f"msg-{resend_id}-{kind}", f"email.{kind}", resend_id, email_id))
