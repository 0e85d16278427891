"""How a part that fails is played: scheduler, worker, Redis, clock, disk, ledger, backups, switch."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from funnel_app.flows.maintenance.nightly_backup import renew_backup
from funnel_app.flows.monitoring.notifications.heartbeat import ping
from funnel_app.flows.monitoring.probes import backups
from funnel_app.flows.monitoring.probes.clock_guard import ClockGuard, go_on_when_right
from funnel_app.flows.monitoring.status.ledger_health import check_whole_ledger
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.ledger.database import storage
from funnel_app.ledger.database.engine import LedgerUnavailable
from tests.apps import application
from tests.factories import jumping_clock
from tests.failures.plays import Play
from tests.failures.stage import LEAD, Stage
from tests.flows.leads import opt_in
from tests.flows.monitoring.live import LIVE
from tests.web.callers import SIGNUP


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
    backups.report(stage.deps, "No backup was made in /data/backups: [Errno 28] No space left on device")
    object.__setattr__(stage.deps, "settings", replace(stage.deps.settings, backup_dir="/data/backups"))
    yield
    stage.deps.now.forward(minutes=3)
    backups.report(stage.deps, None)
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
