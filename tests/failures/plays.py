"""How each failure is played: up to the trouble, where the play pauses, and on until it is over."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from funnel_app.campaigns.reasons import with_words
from funnel_app.flows.maintenance.renew_backup import renew_backup
from funnel_app.flows.monitoring import backups
from funnel_app.flows.monitoring.clock_guard import ClockGuard, go_on_when_right
from funnel_app.flows.monitoring.heartbeat import ping
from funnel_app.flows.monitoring.ledger_health import check_whole_ledger
from funnel_app.flows.sending import deliver as deliver_flow
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.resend.account import Quota, Usage
from funnel_app.gateways.resend.answers import UNWRITABLE_KEY, Answer, AnswerKind
from funnel_app.ledger import storage
from funnel_app.ledger.engine import LedgerUnavailable
from tests.apps import application
from tests.factories import jumping_clock
from tests.failures.stage import KEY, LEAD, Stage
from tests.flows.leads import opt_in
from tests.flows.monitoring.test_doctor import LIVE
from tests.web.callers import SIGNUP

Play = Callable[[Stage, pytest.MonkeyPatch], Iterator[None]]

AN_HOUR = {"hours": 1}
TOO_FAST = Answer(AnswerKind.RATE_LIMITED, detail="429 rate_limit_exceeded: Too many requests", retry_after=30.0)
STILL_RUNNING = Answer(AnswerKind.CONCURRENT, detail="409 concurrent_idempotent_requests: still running")
NO_CONNECTION = Answer(AnswerKind.UNREACHABLE, detail="Connection refused")
BY_PROXY = "the proxy that HTTPS_PROXY names does not let the call through (Tunnel connection failed: 403 Forbidden)"
REFUSED_BY_PROXY = Answer(AnswerKind.UNREACHABLE, detail=BY_PROXY)
PROXY_IN_THE_WAY = Unavailable("resend", f"no connection: {BY_PROXY}")
UNWRITABLE = Answer(AnswerKind.PAUSED, detail=UNWRITABLE_KEY)
UNWRITABLE_FAULT = Rejected("resend", UNWRITABLE_KEY, code="invalid_api_key")
ONLY_SENDS = Rejected("resend", "restricted to only send emails", code="restricted_api_key")
WRONG_KEY = Rejected("resend", "API key is invalid", code="invalid_api_key")
UNVERIFIED = {"mail.businessx.example": "pending"}
NOTHING_LEFT = Usage((Quota("daily", 100, 100),), 10.0)
AWAY = Unavailable("resend", "connection refused")
LOST = Answer(AnswerKind.UNKNOWN, detail="the answer was lost (ReadTimeout)")


def broken_template(**page: str) -> Play:
    """A template that the owner breaks, and fixes later."""

    def play(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
        stage.write(**page)
        stage.sign_up()
        stage.go()
        yield
        stage.write()
        for _ in range(2):
            stage.go(minutes=2)
        stage.told()

    return play


def misnamed_template(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    del stage.deps.notebook.pages[KEY]
    stage.deps.notebook.write("Letter to new leads")
    stage.sign_up()
    stage.go()
    yield
    del stage.deps.notebook.pages["Letter to new leads"]
    stage.write()
    stage.go(minutes=2)
    stage.told()


def half_typed_template(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """A good text is half retyped when the email is due: the good one serves."""
    opt_in(stage.deps, "bea@resend.dev")
    stage.go()
    stage.write(html="<p>Hi {{ first_na")
    stage.deps.now.forward(minutes=2)
    stage.sign_up()
    stage.go()
    yield
    stage.write()
    stage.told()


def notion_refuses(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.deps.notebook.fault = Rejected("notion", "401 unauthorized: API token is invalid.", code="unauthorized")
    stage.sign_up()
    stage.go()
    yield
    stage.deps.notebook.fault = None
    stage.go(minutes=2)
    stage.told()


def notion_away(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.deps.notebook.fault = Unavailable("notion", "503 service_unavailable")
    stage.sign_up()
    stage.go()
    yield
    stage.deps.notebook.fault = None
    stage.go(minutes=2)
    stage.told()


def answered(*answers: object, wait: dict[str, float], **account: object) -> Play:
    """Resend answers so, its account stands so, and it takes the email when it is asked again after a while."""

    def play(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
        stage.deps.mailer.script = list(answers)
        stage.sign_up()
        stage.go()
        well = {name: getattr(stage.deps.account, name) for name in account}
        for name, value in account.items():
            setattr(stage.deps.account, name, value)
        yield
        for name, value in well.items():
            setattr(stage.deps.account, name, value)
        stage.go(**wait)
        stage.told()

    return play


def refused_address(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    words = "422 validation_error: Invalid `to` field. The email address needs a domain."
    stage.deps.mailer.script = [Answer(AnswerKind.INVALID, detail=words)]
    stage.sign_up()
    stage.go()
    yield


def reported(kind: str, detail: str | None = None) -> Play:
    """Resend takes the email, and reports later what became of it."""

    def play(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
        stage.sign_up()
        stage.go()
        stage.told(kind, detail=detail)
        yield

    return play


def soft_bounce(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.sign_up()
    stage.go()
    stage.told("email.soft_bounced", detail=with_words("mailbox is full", "452 4.2.2 over quota"))
    yield
    stage.told()


def other_payload(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The key is known to Resend with another text: nobody can say whether this one went out."""
    stage.deps.mailer.script = [Answer(AnswerKind.CONFLICT, detail="409 invalid_idempotent_request: another payload")]
    stage.sign_up()
    stage.go()
    yield
    stage.told()


def doubt_of_an_hour(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.deps.mailer.script = [LOST] * 20
    stage.sign_up()
    for _ in range(3):
        stage.go(minutes=31)
    yield
    stage.told()


def lost_webhook(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.sign_up()
    stage.go()
    stage.deps.mailer.last_events = {"resend-0-0": "sent"}
    stage.go(minutes=4)
    yield
    stage.deps.mailer.last_events = {"resend-0-0": "delivered"}
    stage.go(minutes=7)


def lost_webhook_and_a_key_that_only_sends(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.deps.mailer.asking_fault = stage.deps.account.fault = ONLY_SENDS
    stage.sign_up()
    stage.go()
    stage.go(minutes=4)
    yield
    stage.told()


def webhook_before_record(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.deps.mailer.script = [lambda: stage.told(resend_id="resend-0-0")]
    stage.sign_up()
    stage.go()
    yield


def worker_killed_before_the_call(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    with patch.context() as dead:
        dead.setattr(deliver_flow, "_compose_each", lambda *_: {})
        stage.sign_up()
        stage.go()
    yield
    stage.go(seconds=16)
    stage.told()


def worker_killed_in_the_call(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    with patch.context() as dead:
        dead.setattr(deliver_flow, "apply_response", lambda *_: None)
        stage.sign_up()
        stage.go()
    yield
    stage.go(seconds=16)
    stage.told()


def scheduler_dead(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.sign_up()
    stage.deps.now.forward(minutes=5)
    stage.deps.process_status.silent.add("scheduler")
    stage.deps.queues.dead.add("scheduler")
    stage.watcher.by_web_only = True
    yield
    stage.deps.process_status.silent.clear()
    stage.deps.queues.dead.clear()
    stage.go()
    stage.told()


def redis_away(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    def away() -> None:
        raise Unavailable("redis", "connection refused")

    stage.deps.queues.away = stage.deps.process_status.away = True
    stage.sign_up()
    stage.deps.now.forward(minutes=5)
    with patch.context() as outage:
        outage.setattr(stage.deps.pause, "current", away)
        yield
    stage.deps.queues.away = stage.deps.process_status.away = False
    stage.go()
    stage.told()


def worker_dead(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """All workers are gone: the sweep queues the email, and nobody takes it."""
    stage.deps.process_status.silent.update({"worker:1", "worker:2"})
    stage.deps.queues.dead.add("worker")
    stage.sign_up()
    stage.deps.now.forward(minutes=5)
    yield
    stage.deps.process_status.silent.clear()
    stage.deps.queues.dead.clear()
    stage.go()
    stage.told()


def clock_jump(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's clock jumps three hours ahead, and is set right again; in between nothing goes."""
    guard, jump = ClockGuard(), jumping_clock(stage.deps)
    assert guard.steady(stage.deps)
    stage.sign_up()
    jump(hours=3)
    assert not guard.steady(stage.deps)
    assert not go_on_when_right(stage.deps)
    stage.work()
    assert stage.sent() == {}
    yield
    jump(hours=0)
    assert guard.steady(stage.deps) and go_on_when_right(stage.deps)
    stage.go()
    stage.told()


def full_disk(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hook that cannot be written is answered 503; its caller sends it again when there is room."""
    with patch.context() as full:
        full.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(total=2**40, used=2**40, free=0))
        yield from unwritable("PRAGMA max_page_count = 1", "full")(stage, patch)


def unwritable(pragma: str, words: str) -> Play:
    """A ledger that answers and takes nothing, until it does again."""

    def play(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
        engine, caller = stage.deps.engine, application(stage.deps).test_client()

        def take_nothing(connection, record, proxy) -> None:
            connection.execute(pragma)

        event.listen(engine, "checkout", take_nothing)
        with pytest.raises(LedgerUnavailable, match=words) as away:
            for number in range(100):
                opt_in(stage.deps, f"lead{number}@resend.dev")
        answer = sign_up_by_hook(caller)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
        stage.noticed = stage.watcher.notice_unwritable_ledger(away.value)
        event.remove(engine, "checkout", take_nothing)
        engine.dispose()
        yield from taken_at_the_second_try(stage, caller)

    return play


def taken_at_the_second_try(stage: Stage, caller: FlaskClient) -> Iterator[None]:
    """The ledger works again: the caller's second try is taken, and goes its way."""
    stage.watcher.notice_room()
    assert sign_up_by_hook(caller).status_code == 202, "the caller's second try is taken"
    stage.first = UUID(sign_up_by_hook(caller).json["emails"][0]["id"])
    stage.deps.queues.queued.clear()
    stage.deps.queues.clock.clear()
    yield
    stage.go()
    stage.told()


def sign_up_by_hook(caller: FlaskClient) -> TestResponse:
    """Send the lead by the public hook, as the website does."""
    proof = {"Authorization": f"Bearer {LIVE['hook_secrets'][0]}"}
    return caller.post(SIGNUP, json={"email": LEAD, "first_name": "Ana"}, headers=proof)


def quota(name: str, hours: float) -> Answer:
    """Resend's refusal when a quota is used up."""
    words = f"429 {name}: You have reached your quota"
    return Answer(AnswerKind.QUOTA, detail=words, retry_after=hours * 3600, name=name)


def paused(words: str) -> Answer:
    """Resend's refusal of the account, key or sender."""
    return Answer(AnswerKind.PAUSED, detail=words)


def damaged_ledger(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The nightly look finds a page that is broken, though what is asked each second still works."""
    stage.sign_up()
    stage.go()
    with patch.context() as damage:
        damage.setattr(storage, "damage", lambda engine: "Tree 7 page 9: btreeInitPage() returns error code 11")
        check_whole_ledger(stage.deps)
    yield
    check_whole_ledger(stage.deps)
    stage.told()


def redis_takes_no_writes(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """After a failover Redis answers as before, and refuses every write."""
    words = "is a replica and takes no writes: let REDIS_URL name the primary (READONLY)"
    stage.deps.queues.away, stage.deps.queues.refusal = True, words
    stage.sign_up()
    stage.deps.now.forward(minutes=5)
    yield
    stage.deps.queues.away, stage.deps.queues.refusal = False, None
    stage.go()
    stage.told()


def backup_fails(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.sign_up()
    stage.go()
    backups.tell(stage.deps, "No backup was made in /data/backups: [Errno 28] No space left on device")
    object.__setattr__(stage.deps, "settings", replace(stage.deps.settings, backup_dir="/data/backups"))
    yield
    stage.deps.now.forward(minutes=3)
    backups.tell(stage.deps, None)
    stage.told()


def backup_is_damaged(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The disk that holds the copies loses a part of one; the night after it is looked at again."""
    stage.sign_up()
    stage.go()
    with TemporaryDirectory() as folder:
        object.__setattr__(stage.deps, "settings", replace(stage.deps.settings, backup_dir=folder))
        damaged = Path(folder) / "funnel-20261123T080003Z.db.gz"
        damaged.write_bytes(b"\x1f\x8b\x08\x00")
        renew_backup(stage.deps)
        yield
        damaged.unlink()
    stage.told()


class StoppedReplica:
    """A replica whose process is not there."""

    def check(self) -> None:
        raise Unavailable("the replica", "failed to connect to control socket")


def replica_stops(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    stage.sign_up()
    stage.go()
    kept = stage.deps.settings
    object.__setattr__(stage.deps, "settings", replace(kept, replica_url="file:///backup/funnel"))
    object.__setattr__(stage.deps, "replica", StoppedReplica())
    yield
    object.__setattr__(stage.deps, "replica", None)
    object.__setattr__(stage.deps, "settings", kept)
    stage.told()


def switch_is_gone(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Somebody deleted the check at the dead man's switch."""
    stage.sign_up()
    stage.go()
    stage.told()
    stage.deps.alerts.deaf = Rejected("hc-ping.example", "answered “OK (not found)”: it knows no such check any more")
    ping(stage.deps)
    stage.deps.now.forward(minutes=6)
    ping(stage.deps)
    yield
    stage.deps.alerts.deaf = None
    stage.deps.now.forward(minutes=3)
    ping(stage.deps)


def other_container_dies(stage: Stage, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two workers of another container were heard of within the hour, and are not any more."""
    stage.sign_up()
    stage.go()
    seen, gone_at = stage.deps.process_status.seen, stage.deps.now()
    others = {"worker:other:1": gone_at, "worker:other:2": gone_at}
    with patch.context() as gone:
        gone.setattr(stage.deps.process_status, "seen", lambda: seen() | others)
        stage.deps.now.forward(minutes=2)
        yield
    stage.told()
