"""Redis's queue and clock."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from funnel_app.gateways.redis.refusals import AWAY, RedisFault


class FakeQueues:
    """Redis's queue and clock, as lists."""

    def __init__(self) -> None:
        self.clock: dict[UUID, datetime] = {}
        self.queued: list[str] = []
        self.queue_of: dict[UUID, str] = {}
        self.away = False
        self.refusal: str | None = None
        self.has_marker = False
        self.dead: set[str] = set()
        self.locks: dict[str, str] = {}
        self.email_waits = False

    def schedule(self, entries: Sequence[tuple[UUID, datetime]], now: datetime, queue: str = "emails") -> bool:
        if self.away:
            return False
        for email_id, due_at in entries:
            self.queue_of[email_id] = queue
            if due_at <= now:
                self.queued.append(f"email-{email_id}")
            else:
                self.clock[email_id] = due_at
        return True

    def unschedule(self, ids: Sequence[UUID]) -> int:
        removed = [each for each in ids if each in self.clock or f"email-{each}" in self.queued]
        for email_id in removed:
            self._off_the_clock(f"email-{email_id}")
        names = {f"email-{email_id}" for email_id in removed}
        self.queued = [name for name in self.queued if name not in names]
        return len(removed)

    def push(self, calls: Iterable[tuple[Any, ...]]) -> int:
        names = [name for name in dict[str, Any].fromkeys(call[0] for call in calls) if name not in self.queued]
        for name in names:
            self._off_the_clock(name)
        self.queued += names
        return len(names)

    def scheduled(self, ids: Sequence[UUID]) -> set[UUID]:
        return set(ids) & set(self.clock)

    def _off_the_clock(self, name: str) -> None:
        self.clock = {email_id: at for email_id, at in self.clock.items() if f"email-{email_id}" != name}

    def marked(self) -> bool:
        return self.has_marker

    def mark(self) -> None:
        self.has_marker = True

    def why_away(self) -> RedisFault | None:
        return RedisFault(self.refusal) if self.refusal else AWAY if self.away else None

    def ping(self) -> bool:
        return not self.away

    def emails_wait(self) -> bool:
        return self.email_waits

    def own(self, name: str, owner: str, seconds: float) -> bool:
        return self.locks.setdefault(name, owner) == owner

    def disown(self, name: str, owner: str) -> None:
        if self.locks.get(name) == owner:
            del self.locks[name]

    def alive(self, name: str) -> bool:
        return name not in self.dead

    def emails(self) -> list[UUID]:
        """The emails whose jobs wait, taken off the queue."""
        names, self.queued = self.queued, []
        return [UUID(name.removeprefix("email-")) for name in names if name.startswith("email-")]

    def requests(self) -> list[UUID]:
        """The requests whose jobs wait, taken off the queue."""
        names, self.queued = self.queued, []
        return [UUID(name.removeprefix("request-")) for name in names if name.startswith("request-")]
