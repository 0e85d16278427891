"""What else is kept in Redis: claims, turns, the pause of sending and signs of life."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.fetch_lock import ASK_AGAIN_AFTER_S, ONCE_IN_S
from funnel_app.gateways.redis.process_status import Depths, RedisFacts
from funnel_app.gateways.redis.rate_limiter import Pause
from tests.fakes.clock import FrozenClock


class FakeFetchLock:
    """Claims and faults that run out by the frozen clock."""

    def __init__(self, clock: FrozenClock) -> None:
        self.clock = clock
        self.until: dict[str, datetime] = {}
        self.words: dict[str, str] = {}

    def claim(self, key: str) -> bool:
        return self._take(f"claim {key}", ONCE_IN_S)

    def give_up(self, key: str, words: str, *, everywhere: bool) -> None:
        name = "" if everywhere else key
        self.words[name] = words
        self.until[f"fault {name}"] = self.clock() + timedelta(seconds=ASK_AGAIN_AFTER_S)
        self.until.pop(f"claim {key}", None)

    def fault(self, key: str) -> str | None:
        standing = [name for name in ("", key) if self._stands(f"fault {name}")]
        return self.words[standing[0]] if standing else None

    def _take(self, name: str, seconds: int) -> bool:
        if self._stands(name):
            return False
        self.until[name] = self.clock() + timedelta(seconds=seconds)
        return True

    def _stands(self, name: str) -> bool:
        return self.until.get(name, self.clock()) > self.clock()


class FakeRate:
    """A rate that is never reached, unless waits are scripted."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.learned: list[float] = []
        self.in_turn: set[UUID] = set()
        self.allowed = 2.0

    def per_second(self) -> float:
        return self.allowed

    def wait(self, caller: UUID) -> float:
        wait = self.waits.pop(0) if self.waits else 0.0
        if not wait:
            self.in_turn.add(caller)
        return wait

    def answered(self, caller: UUID) -> None:
        self.in_turn.discard(caller)

    def peek(self) -> float:
        return 0.0

    def learn(self, rate: float) -> None:
        self.learned.append(rate)


class FakePause:
    """A pause that stands until it is cleared; when its time is up everybody may probe."""

    def __init__(self, clock: FrozenClock) -> None:
        self.clock = clock
        self.left = 0
        self.standing: Pause | None = None

    def current(self) -> Pause | None:
        return self.standing

    def may_probe(self) -> bool:
        return True

    def leave_probe(self) -> None:
        self.left += 1

    def pause(self, reason: str, seconds: float, kind: str) -> None:
        until = self.clock() + timedelta(seconds=seconds)
        if self.standing is None or self.standing.until < until:
            self.standing = Pause(kind, reason, until)

    def back_off(self, reason: str, kind: str) -> float:
        if self.standing and (left := (self.standing.until - self.clock()).total_seconds()) > 0:
            return left
        seconds = 2.0 if kind == "outage" else 15.0
        self.pause(reason, seconds, kind)
        return seconds

    def clear(self) -> None:
        if self.standing is None or self.standing.kind != "clock":
            self.standing = None

    def lift(self) -> None:
        self.standing = None


class FakeProcessStatus:
    """Redis and the processes, all well unless a test says otherwise."""

    def __init__(self, clock: FrozenClock) -> None:
        self.clock = clock
        self.away = False
        self.silent: set[str] = set()
        self.knocked: list[tuple[datetime, str]] = []
        self.found = RedisFacts(version="7.2", policy="noeviction", keeps=True)
        self.waiting = Depths(queues={"emails": 0}, clock=0, failed=0, unreadable=0)
        self.kept: str | None = None
        self.hopped: int | None = None

    def seen(self) -> dict[str, datetime]:
        self._there()
        return {name: self.clock() for name in ("scheduler", "worker:1", "worker:2") if name not in self.silent}

    def facts(self) -> RedisFacts:
        self._there()
        return self.found

    def depths(self) -> Depths:
        self._there()
        return self.waiting

    def keep_examined(self, words: str) -> None:
        self._there()
        self.kept = words

    def examined(self) -> str | None:
        self._there()
        return self.kept

    def remember_ledger(self, ledger_id: str) -> None:
        self.ledger = ledger_id

    def note_hops(self, hops: int) -> None:
        self._there()
        self.hopped = hops

    def hops(self) -> int | None:
        self._there()
        return self.hopped

    def note_unauthenticated(self, hook: str) -> None:
        self._there()
        self.knocked.append((self.clock(), hook))

    def unauthenticated(self, within_s: float) -> Counter[str]:
        self._there()
        since = self.clock() - timedelta(seconds=within_s)
        return Counter(hook for at, hook in self.knocked if at >= since)

    def _there(self) -> None:
        if self.away:
            raise Unavailable("redis", "Connection refused")
