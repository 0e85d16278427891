"""Simulated gateways, for simulations without a network."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NoReturn
from uuid import UUID, uuid4

from funnel_app.gateways.redis.fetch_lock import FetchLock
from funnel_app.gateways.redis.queue import Queues
from funnel_app.gateways.redis.rate_limiter import Pause, SendingPause, SendingRate
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.gateways.resend.mailer import Mailer


class SimulatedMailer(Mailer):
    """Accepts every email, and sends none."""

    def __init__(self) -> None:
        """Open no connection."""

    def send(self, payloads: Sequence[Mapping[str, object]], idempotency_key: str) -> Answer:
        """Accept each with an id of its own."""
        return Answer(AnswerKind.ACCEPTED, ids=tuple(str(uuid4()) for _ in payloads))


class SimulatedQueues(Queues):
    """Discards schedules: the simulation asks the ledger what is due next."""

    def __init__(self) -> None:
        """Open no connection."""

    def schedule(self, entries: Sequence[tuple[UUID, datetime]], now: datetime, queue: str = "") -> bool:
        """Say that all is scheduled."""
        return True

    def unschedule(self, ids: Sequence[UUID]) -> int:
        """Say that all is taken off."""
        return len(ids)

    def push(self, calls: Iterable[object]) -> int:
        """Say that all is queued."""
        return len(list(calls))


class SimulatedRate(SendingRate):
    """A limit that is never reached."""

    def __init__(self) -> None:
        """Open no connection."""

    def wait(self, caller: UUID) -> float:
        """Give the turn at once."""
        return 0.0

    def peek(self) -> float:
        """Say that a turn is free."""
        return 0.0

    def answered(self, caller: UUID) -> None:
        """Take note of nothing."""


class SimulatedPause(SendingPause):
    """Sending that is never paused."""

    def __init__(self) -> None:
        """Open no connection."""

    def current(self) -> Pause | None:
        """Say that nothing is paused."""
        return None

    def leave_probe(self) -> None:
        """Take note of nothing."""

    def clear(self) -> None:
        """Take note of nothing."""


class SimulatedFetchLock(FetchLock):
    """Allows no fetching from Notion; `refuse` raises, by key, why a text is missing."""

    def __init__(self, refuse: Callable[[str], NoReturn]) -> None:
        """Open no connection."""
        self._refuse = refuse

    def claim(self, key: str) -> bool:
        """Let nobody read."""
        return False

    def fault(self, key: str) -> NoReturn:
        """Raise why the text is not there."""
        self._refuse(key)
