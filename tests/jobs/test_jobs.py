"""Jobs: RQ's worker runs them from a real Redis, and the scheduler's step moves what is due and sweeps."""

import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from threading import Event
from uuid import uuid4

import pytest
from redis import Redis
from rq import SimpleWorker
from rq.registry import FailedJobRegistry, StartedJobRegistry
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

import jobs.deliver
import jobs.parent
import jobs.process
import jobs.scheduler
import jobs.worker
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.own_jobs import OwnJob, queue_at
from funnel_app.gateways.redis.queue import Queues, deliver_job, mirror_job, recheck_job, repeat_job
from funnel_app.ledger.database.engine import LedgerUnavailable
from jobs.scheduler import SchedulerProcess
from jobs.seldom import Seldom
from tests.flows.leads import email_ids, look, opt_in, write_templates


@pytest.fixture
def real(deps, redis_server, monkeypatch):
    """Collaborators with real queues, as the jobs of this process see them; their time is now."""
    queues = Queues(redis_server.url)
    object.__setattr__(deps, "queues", queues)
    object.__setattr__(deps, "now", lambda: datetime.now(UTC))
    for module in ("jobs.process", "jobs.deliver", "jobs.mirror", "jobs.recheck", "jobs.scheduler", "jobs.worker"):
        monkeypatch.setattr(f"{module}.deps", lambda: deps)
    yield deps
    _templates_are_read()
    queues.close()


def _templates_are_read() -> None:
    """Let a scheduler's look at the templates end, which it leaves to a thread."""
    for thread in threading.enumerate():
        if thread.name == "template-watch":
            thread.join()


def work(deps, name: str = "emails") -> None:
    connection = Redis.from_url(
        f"redis://127.0.0.1:{deps.queues.connection.connection_pool.connection_kwargs['port']}/0"
    )
    queue = queue_at(name, connection)
    SimpleWorker([queue], connection=connection, job_class=OwnJob).work(burst=True, logging_level="ERROR")
    failed = FailedJobRegistry(queue=queue)
    assert failed.get_job_ids() == [], [queue.fetch_job(job).exc_info for job in failed.get_job_ids()]
    connection.close()


def test_a_queued_email_is_sent_by_a_worker(real):
    write_templates(real)
    first = email_ids(opt_in(real))[0]
    work(real)
    assert look(real, first).state == "sent"
    assert real.mailer.sent_to() == ["ana@resend.dev"]


def test_the_same_job_twice_sends_once(real):
    write_templates(real)
    first = email_ids(opt_in(real))[0]
    work(real)
    real.queues.push([deliver_job(first)])
    work(real)
    assert len(real.mailer.calls) == 1


def test_a_job_that_two_workers_ran_is_no_failure(real, monkeypatch):
    """The sweep queued it again while the first worker was at it; the other was over first, and took the job away."""
    write_templates(real)
    first = email_ids(opt_in(real))[0]
    connection = real.queues.connection
    key = f"rq:job:email-{first}"

    def deliver(*arguments):
        connection.delete(key)
        return flow(*arguments)

    flow = jobs.deliver.deliver_due
    monkeypatch.setattr("jobs.deliver.deliver_due", deliver)
    queue = queue_at("emails", connection)
    assert jobs.worker.Worker([queue], connection=connection).work(burst=True, logging_level="ERROR")
    assert look(real, first).state == "sent"
    assert FailedJobRegistry(queue=queue).get_job_ids() == [] == StartedJobRegistry(queue=queue).get_job_ids()
    assert not connection.exists(key)


def test_a_worker_that_was_told_to_stop_before_it_listened_takes_no_job(real):
    first = email_ids(opt_in(real))[0]
    worker = jobs.worker.Worker([queue_at("emails", real.queues.connection)], connection=real.queues.connection)
    worker.stopping = Event()
    worker.stopping.set()
    assert not worker.work(logging_level="ERROR"), "without burst, one that misses its signal waits for ever"
    assert look(real, first).state == "planned"


@pytest.mark.parametrize("parent_lives", [True, False])
def test_a_worker_whose_parent_is_gone_is_told_so_again(parent_lives, monkeypatch):
    told = []
    monkeypatch.setattr("jobs.worker.os.kill", lambda *signal: told.append(signal))
    jobs.worker.end_with(os.getppid() if parent_lives else -1)(None)
    assert told == ([] if parent_lives else [(os.getpid(), signal.SIGTERM)])


def test_a_held_email_is_rechecked_by_a_worker(real):
    first = email_ids(opt_in(real))[0]
    work(real)
    assert look(real, first).state == "held"
    write_templates(real)
    with real.sessions.begin() as session:
        session.get(type(look(real, first)), first).next_attempt_at = None
    object.__setattr__(real, "now", lambda: datetime.now(UTC) + timedelta(seconds=61))
    real.fetch_lock.clock.forward(seconds=61)
    real.queues.push([recheck_job()])
    work(real)
    assert look(real, first).state == "sent"


def test_what_is_behind_is_mirrored_by_a_worker_turn_by_turn(real, monkeypatch):
    turns = []
    monkeypatch.setattr("funnel_app.flows.mirror.mirror.mirror", lambda deps, turn: turns.append((deps, turn)))
    real.queues.push([mirror_job(), mirror_job("tock"), mirror_job()])
    work(real, "mirror")
    assert turns == [(real, "tick"), (real, "tock")]


def test_a_repeat_of_a_request_that_is_gone_fails_loudly(real):
    real.queues.push([repeat_job(uuid4())])
    with pytest.raises(AssertionError, match="NoResultFound"):
        work(real)


def test_a_step_of_the_scheduler_moves_what_is_due_beats_and_sweeps(real, monkeypatch):
    monkeypatch.setattr(jobs.scheduler, "SWEEP_EVERY_S", 600.0)  # a busy machine may stand still for five seconds
    swept = []
    monkeypatch.setattr(jobs.scheduler, "sweep", lambda deps: (swept.append(deps), deps.queues.mark()))
    due = uuid4()
    real.queues.schedule([(due, real.now() + timedelta(seconds=1))], real.now())
    object.__setattr__(real, "now", lambda: datetime.now(UTC) + timedelta(seconds=2))
    process = SchedulerProcess(Event())
    process.step()
    assert real.queues.scheduled([due]) == set()
    assert real.queues.connection.lrange("rq:queue:emails", 0, -1) == [f"email-{due}".encode()]
    assert real.queues.alive("scheduler") and swept == [real]
    process.step()
    assert swept == [real], "the next sweep is not due"
    real.queues.connection.flushall()
    process.step()
    assert swept == [real, real], "but for a Redis that lost everything"


def test_a_sweep_that_fails_on_something_unforeseen_is_reported_and_the_clock_goes_on(real, monkeypatch):
    def fail(deps):
        raise ValueError("a row that no rule foresaw")

    monkeypatch.setattr(jobs.scheduler, "sweep", fail)
    due = uuid4()
    real.queues.schedule([(due, real.now() + timedelta(seconds=1))], real.now())
    process = SchedulerProcess(Event())
    with capture_logs() as logged:
        process.step()
        object.__setattr__(real, "now", lambda: datetime.now(UTC) + timedelta(seconds=2))
        process.step()
    assert real.queues.scheduled([due]) == set()
    failed = next(entry for entry in logged if entry["event"] == "sweep_failed")
    assert failed["log_level"] == "error" and "no rule foresaw" in str(failed["exc_info"])
    monkeypatch.setattr(jobs.scheduler, "sweep", lambda deps: (_ for _ in ()).throw(Unavailable("redis", "away")))
    with pytest.raises(Unavailable):
        SchedulerProcess(Event())._sweep()


def test_a_scheduler_that_stops_waits_for_no_redis_that_hangs(real, redis_server, monkeypatch):
    process = SchedulerProcess(Event())
    monkeypatch.setattr(process.clock, "release", lambda: pytest.fail("it would be waited for"))
    redis_server.pause()
    with capture_logs() as logged:
        process._release_lock()
    redis_server.resume()
    assert [entry["event"] for entry in logged] == ["lock_not_released"]


def test_a_second_scheduler_only_waits(real, monkeypatch):
    monkeypatch.setattr("funnel_app.gateways.redis.job_clock.LOCK_MS", 60_000)  # a busy machine may stand still for 4 s
    swept = []
    monkeypatch.setattr(jobs.scheduler, "sweep", swept.append)
    first, second = SchedulerProcess(Event()), SchedulerProcess(Event())
    first.step()
    second.step()
    assert len(swept) == 1


@pytest.mark.parametrize(
    "fault", [Unavailable("redis", "away"), LedgerUnavailable[0]("SELECT 1", {}, Exception("away"))]
)
def test_a_scheduler_outlives_what_is_away_and_gives_its_lock_back(real, monkeypatch, fault):
    stopping = Event()
    process = SchedulerProcess(stopping)
    steps = iter([fault, None])

    def step():
        if (trouble := next(steps)) is not None:
            raise trouble
        process.clock.own()
        stopping.set()

    monkeypatch.setattr(process, "step", step)
    process.run()
    assert SchedulerProcess(Event()).clock.own(), "its successor need not wait"


def test_a_lock_that_cannot_be_given_back_is_no_reason_to_fail(real, monkeypatch):
    stopping = Event()
    stopping.set()
    process = SchedulerProcess(stopping)

    def away():
        raise Unavailable("redis", "away")

    monkeypatch.setattr(process.clock, "release", away)
    process.run()


def test_a_process_waits_for_redis_and_for_the_ledger(deps, monkeypatch):
    monkeypatch.setattr(jobs.process, "deps", lambda: deps)
    waited = []

    class Waits(Event):
        def wait(self, timeout=None):
            waited.append(timeout)
            deps.queues.away = False
            heads.append(True)
            return False

    heads = []
    monkeypatch.setattr("jobs.process.revision.at_head", lambda engine: bool(heads))
    jobs.process.wait_for_ledger(Waits(), "worker")
    deps.queues.away = True
    jobs.process.wait_for_redis(Waits(), "worker")
    assert waited == [2, 1]


def test_a_process_that_waits_says_so_at_first_and_then_once_a_minute(deps, monkeypatch):
    monkeypatch.setattr(jobs.process, "deps", lambda: deps)
    seconds = iter(range(1000))
    monkeypatch.setattr(jobs.process.time, "monotonic", lambda: float(next(seconds)))

    class Waits(Event):
        looks = 0

        def wait(self, timeout=None):
            self.looks += 1
            deps.queues.away = self.looks < 100
            return False

    deps.queues.away = True
    with capture_logs() as logs:
        jobs.process.wait_for_redis(Waits(), "worker")
    # Threads that an earlier test left may say something too.
    assert [line["event"] for line in logs].count("waiting_for_redis") == 2


def test_a_child_without_its_parent_does_not_begin(monkeypatch):
    monkeypatch.setattr(jobs.parent.ctypes, "CDLL", lambda _: type("C", (), {"prctl": staticmethod(lambda *_: 0)}))
    assert not jobs.parent.dies_with(parent=1_000_000)


def test_a_ledger_that_is_away_is_one_line_a_minute_with_the_cure_and_no_statement(monkeypatch):
    """Each job meets it, and so does each second of the scheduler: the causes before it would be lost in the log."""
    monkeypatch.setattr(jobs.worker, "LEDGER_AWAY", Seldom())
    fault = OperationalError("UPDATE emails SET …", {}, Exception('FATAL: role "funnel" does not exist'))
    with capture_logs() as logs:
        for _ in range(3):
            jobs.worker.Worker.handle_exception(None, None, OperationalError, fault, None)
    (line,) = logs
    assert "DATABASE_URL: correct it" in line["error"] and "UPDATE" not in line["error"]
