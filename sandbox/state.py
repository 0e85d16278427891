"""The sandbox's state, in memory behind one lock."""

import base64
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

from flask import current_app

from sandbox.notion.state import NotionState
from sandbox.settings import Fault, NotionSettings, ResendSettings, Settings, WebhookSettings

Json = dict[str, Any]
DEFAULT_SECRET = "whsec_" + base64.b64encode(b"a secret of the sandbox, no other").decode()


def utc_now() -> datetime:
    """Return the present moment, aware and in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Config:
    """What is fixed when the sandbox starts; the switches return to this on reset."""

    webhook_url: str | None = None
    webhook_secret: str = DEFAULT_SECRET
    verified_domains: tuple[str, ...] = ()
    # What the website needs, by the names of docs/website-integration.md: where Funnel is, and the proof of its hooks.
    funnel_url: str | None = None
    hook_secret: str = ""
    now: Callable[[], datetime] = utc_now

    def settings(self) -> Settings:
        """Return fresh switches."""
        return Settings(
            ResendSettings(domains=dict.fromkeys(self.verified_domains, "verified")),
            WebhookSettings(url=self.webhook_url, secret=self.webhook_secret),
        )


@dataclass
class Event:
    """One event of an email at `at`, and its delivery to endpoints."""

    type: str
    at: datetime
    detail: Json
    svix_id: str
    told: list[str] = field(default_factory=list)


@dataclass
class Email:
    """One accepted email, exactly as it was sent, with all that happens to it."""

    id: str
    payload: Json
    to: list[str]
    idempotency_key: str | None
    received_at: datetime
    events: list[Event]

    @property
    def message_id(self) -> str:
        """Return the Message-ID header that the mail would carry."""
        return f"<{self.id}@sandbox.invalid>"

    def happened(self, now: datetime) -> list[Event]:
        """Return the events that lie behind us, oldest first."""
        return [event for event in self.events if event.at <= now]

    def last_event(self, now: datetime) -> str:
        """Return the newest event without its `email.`, `queued` where none has happened yet."""
        happened = self.happened(now)
        return happened[-1].type.removeprefix("email.") if happened else "queued"

    def tags(self) -> dict[str, str]:
        """Return the tags as webhooks show them: an object."""
        return {tag["name"]: tag["value"] for tag in self.payload.get("tags") or []}


@dataclass(frozen=True)
class Written:
    """One email that somebody wrote to us, as `GET /emails/receiving/{id}` gives it out."""

    id: str
    sender: str
    to: str
    subject: str
    text: str
    headers: dict[str, str]
    received_at: datetime

    @property
    def message_id(self) -> str:
        """Return the Message-ID header that the mail carries."""
        return f"<{self.id}@written.invalid>"


@dataclass
class Remembered:
    """A call under an idempotency key; no answer yet means that it is still running."""

    fingerprint: str
    at: datetime
    answer: Json | None = None


@dataclass
class Endpoint:
    """One webhook endpoint; None means every type of event."""

    id: str
    url: str
    secret: str
    events: list[str] | None
    created_at: datetime


@dataclass
class Window:
    """Calls counted in the present second."""

    second: int = -1
    used: int = 0

    def take(self, now: datetime, limit: int) -> tuple[bool, int]:
        """Count one call; return whether it is within the limit (0: none), and how many more are."""
        second = int(now.timestamp())
        if second != self.second:
            self.second, self.used = second, 0
        self.used += 1
        return (limit == 0 or self.used <= limit), max(limit - self.used, 0)


class Sandbox:
    """The memory of one sandbox; hold `lock` to read or change any of it."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.lock = threading.RLock()
        self.stopped = threading.Event()
        self.generation = 0
        self.forget()

    def forget(self) -> None:
        """Return to the state right after the start: default switches, nothing received, the default workspace."""
        with self.lock:
            self.generation += 1
            self.settings = self.config.settings()
            self.emails: dict[str, Email] = {}
            self.written: dict[str, Written] = {}
            self.remembered: dict[str, Remembered] = {}
            self.endpoints: list[Endpoint] = []
            self.told: list[Json] = []
            self.chat: list[str] = []
            self.calls: Counter[str] = Counter()
            self.windows = {"resend": Window(), "notion": Window()}
            self.notion = NotionState(self.now())

    def now(self) -> datetime:
        """Return the sandbox's present moment."""
        return self.config.now()

    def pause(self, seconds: float) -> None:
        """Wait, or until the sandbox stops."""
        if seconds:
            self.stopped.wait(seconds)

    def next_fault(self, of: ResendSettings | NotionSettings) -> Fault:
        """Consume the next scripted answer; a Fault without content where nothing was scripted."""
        with self.lock:
            return of.fail.pop(0) if of.fail else of.fail_always or Fault()

    def all_endpoints(self) -> list[Endpoint]:
        """Return the endpoint of the settings, if any, and those created through the API."""
        hooks = self.settings.webhooks
        fixed_id = str(uuid.uuid5(uuid.NAMESPACE_URL, hooks.url or ""))
        fixed = [Endpoint(fixed_id, hooks.url, hooks.secret, None, self.now())] if hooks.url else []
        return fixed + self.endpoints


def current_sandbox() -> Sandbox:
    """Return the sandbox of the app that is serving this request."""
    return cast(Sandbox, current_app.extensions["sandbox"])
