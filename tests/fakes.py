"""Gateways that remember what they were asked, for tests of what happens between them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from uuid import UUID

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.notion.pages import answering
from funnel_app.gateways.notion.templates import Page
from funnel_app.gateways.redis.fetch_lock import ASK_AGAIN_AFTER_S, ONCE_IN_S
from funnel_app.gateways.redis.process_status import Depths, RedisFacts
from funnel_app.gateways.redis.rate_limiter import Pause
from funnel_app.gateways.resend.account import EVENTS, Endpoint, Quota, Usage
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.letters.draft import Draft, Verdict
from funnel_app.letters.judge import judge


class FrozenClock:
    """A time that stands until it is moved."""

    def __init__(self, at: datetime = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **duration: float) -> None:
        self.at += timedelta(**duration)


class FakeMailer:
    """Resend as the contract says: one email a key, whatever comes back; answers can be scripted."""

    def __init__(self) -> None:
        self.accepted: dict[str, tuple[list[dict], tuple[str, ...]]] = {}
        self.calls: list[tuple[str, list[dict]]] = []
        self.script: list[Answer | Callable[[], None] | tuple[str, Answer]] = []
        self.last_events: dict[str, str] = {}
        self.asked: list[str] = []
        self.asking_fault: Exception | None = None
        self._lock = Lock()

    def send(self, payloads: Sequence[dict], key: str) -> Answer:
        with self._lock:
            self.calls.append((key, list(payloads)))
            step = self.script.pop(0) if self.script else None
            if isinstance(step, Answer):
                return step
            answer = self._accept(payloads, key)
        if isinstance(step, tuple):
            return step[1]
        if step is not None:
            step()
        return answer

    def _accept(self, payloads: Sequence[dict], key: str) -> Answer:
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

    def sent(self) -> list[dict]:
        """Every email that went out, once for each time it did."""
        return [payload for payloads, _ in self.accepted.values() for payload in payloads]

    def sent_to(self) -> list[str]:
        return [payload["to"][0] for payload in self.sent()]


class FakeNotebook:
    """The templates that Notion has now; a page written as "key copy" is a second one of that name."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.code: dict[str, str] = {}
        self.fault: Exception | None = None
        self.trashed: list[str] = []
        self.asked: list[str] = []

    def write(
        self, key: str, subject: str = "Hello", html: str = "<p>Hi {{ first_name }}</p>", status="Active", **more
    ):
        self.pages[key] = Page(
            id=f"page-{key}",
            name=key.removesuffix(" copy"),
            subject=subject,
            html=html,
            status=status,
            **{"url": "", "last_edited": "", **more},
        )

    def whoami(self) -> str:
        if self.fault:
            raise self.fault
        return "Funnel (BusinessX)"

    def find_templates(self, key: str, aliases: Sequence[str] = ()) -> list[Page]:
        self._ask(key)
        return [self.whole(page) for page in answering(self.pages.values(), key, aliases)]

    def list_templates(self) -> list[Page]:
        self._ask("all")
        return list(self.pages.values())

    def whole(self, page: Page) -> Page:
        if page.html.strip() or page.name not in self.code:
            return page
        return replace(page, html=self.code[page.name], in_property=False, written=True)

    def trash_page(self, page_id: str) -> None:
        self._ask(page_id)
        self.trashed.append(page_id)

    def create_template(self, key: str, subject: str, html: str, status: str | None = None) -> None:
        self.write(key, subject, html, status or "Active")

    def fill_template(self, page_id: str, subject: str | None, html: str | None) -> None:
        key = page_id.removeprefix("page-")
        page = self.pages[key]
        given = {name: text for name, text in (("subject", subject), ("html", html)) if text is not None}
        self.pages[key] = replace(page, **given)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.fault:
            raise self.fault


class JudgeHere:
    """Judges in this process, where no test is about what a template does to its judge; each draft once, as it does."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Verdict] = {}

    def judge(self, fingerprint: str, draft: Callable[[], Draft]) -> Verdict:
        if fingerprint not in self.verdicts:
            self.verdicts[fingerprint] = judge(draft())
        return self.verdicts[fingerprint]


class FakeFetches:
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
        self.until.pop(f"claim {key}")

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
        for email_id in ids:
            self.clock.pop(email_id, None)
        names = {f"email-{email_id}" for email_id in ids}
        self.queued = [name for name in self.queued if name not in names]
        return len(names)

    def push(self, calls: Iterable[tuple]) -> int:
        names = [call[0] for call in calls if call[0] not in self.queued]
        self.queued += names
        return len(names)

    def armed(self, ids: Sequence[UUID]) -> set[UUID]:
        return set(ids) & set(self.clock)

    def marked(self) -> bool:
        return self.has_marker

    def mark(self) -> None:
        self.has_marker = True

    def why_away(self) -> str | None:
        return self.refusal or ("cannot be reached" if self.away else None)

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
        self.standing = Pause(kind, reason, self.clock() + timedelta(seconds=seconds))

    def back_off(self, reason: str, kind: str) -> float:
        seconds = 2.0 if kind == "outage" else 15.0
        self.pause(reason, seconds, kind)
        return seconds

    def clear(self) -> None:
        if self.standing is None or self.standing.kind != "clock":
            self.standing = None

    def lift(self) -> None:
        self.standing = None


class FakeVitals:
    """Redis and the processes, all well unless a test says otherwise."""

    def __init__(self, clock: FrozenClock) -> None:
        self.clock = clock
        self.away = False
        self.silent: set[str] = set()
        self.knocked: list[tuple[datetime, str]] = []
        self.found = RedisFacts(version="7.2", policy="noeviction", limit_bytes=0, keeps=True)
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

    def note_unproven(self, hook: str) -> None:
        self._there()
        self.knocked.append((self.clock(), hook))

    def unproven(self, within_s: float) -> Counter[str]:
        self._there()
        since = self.clock() - timedelta(seconds=within_s)
        return Counter(hook for at, hook in self.knocked if at >= since)

    def _there(self) -> None:
        if self.away:
            raise Unavailable("redis", "Connection refused")


class FakeAccount:
    """Resend's account: the domain verified, our address told of everything, hardly anything used."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.known = {"mail.businessx.example": "verified"}
        self.told = [Endpoint("1", "https://funnel.example/webhook/resend", "enabled", EVENTS)]
        self.used = Usage((Quota("daily", 3, 100), Quota("monthly", 40, 3000)), 10.0)

    def domains(self) -> dict[str, str]:
        if self.fault:
            raise self.fault
        return self.known

    def endpoints(self) -> list[Endpoint]:
        return self.told

    def add_endpoint(self, url: str) -> str:
        self.told.append(Endpoint("2", url, "enabled", EVENTS))
        return "whsec_new"

    def usage(self) -> Usage:
        return self.used


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


class FakePublic:
    """Our public address, which answers unless a test says otherwise."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.signups: list[tuple[str, dict]] = []
        self.answer: Callable[[str, dict], dict] = lambda campaign, payload: {"enrolment_id": str(UUID(int=1))}

    def check(self) -> None:
        if self.fault:
            raise self.fault

    def sign_up(self, campaign: str, payload: dict) -> dict:
        if self.fault:
            raise self.fault
        self.signups.append((campaign, payload))
        return self.answer(campaign, payload)
