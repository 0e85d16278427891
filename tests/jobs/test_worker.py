"""A worker that is asked to stop does so after the job at hand, whatever Redis does meanwhile."""

import os
import signal
import time
from contextlib import ExitStack, suppress
from shutil import which
from subprocess import Popen
from threading import Event
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from rq.exceptions import StopRequested
from rq.worker import WorkerStatus

import jobs.worker
from funnel_app.flows.monitoring.status.ready import WORKER
from funnel_app.gateways.redis.clients import blocking_client
from funnel_app.gateways.redis.own_jobs import queue_at
from funnel_app.gateways.redis.queue import Queues
from jobs.worker import Worker
from sandbox.redis_server import RedisServer


@pytest.fixture
def own_signals():
    """The handlers and the alarm of this process as they are, after whatever a worker does to them."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}
    alarm_after_s, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in kept.items():
        signal.signal(number, handler)
    signal.setitimer(signal.ITIMER_REAL, alarm_after_s)


@pytest.fixture
def worker(redis_server, own_signals, monkeypatch, deps):
    """A worker in this process, which gives up after 20 s without a job."""
    monkeypatch.setattr(jobs.worker, "deps", lambda: deps)
    connection = blocking_client(redis_server.url)
    worker = Worker([queue_at("emails", connection)], connection=connection, worker_ttl=60)
    worker.stopping = Event()
    yield worker
    redis_server.resume()
    redis_server.start()
    connection.close()


@pytest.mark.parametrize("trouble", [RedisServer.kill, RedisServer.pause], ids=["is gone", "hangs"])
def test_a_signal_breaks_no_job_while_redis(redis_server, worker, trouble):
    worker.set_state(WorkerStatus.BUSY)
    trouble(redis_server)
    worker.request_stop(signal.SIGTERM, None)
    assert worker._stop_requested and worker.stopping.is_set()


def test_a_signal_ends_the_wait_for_a_job(worker):
    worker.set_state(WorkerStatus.IDLE)
    with pytest.raises(StopRequested):
        worker.request_stop(signal.SIGTERM, None)
    assert worker.stopping.is_set()


def test_a_stop_that_something_catches_is_asked_for_again(worker, monkeypatch):
    asked_at = []

    def catch(*_, **__):
        if not asked_at:
            asked_at.append(time.monotonic())
            with suppress(Exception):
                signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(worker, "heartbeat", catch)
    worker.work(logging_level="ERROR", max_idle_time=20)
    assert time.monotonic() - asked_at[0] < 10
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_the_job_that_begins_after_a_stop_that_something_caught_is_the_last(worker):
    worker.set_state(WorkerStatus.IDLE)
    with suppress(StopRequested):
        worker.request_stop(signal.SIGTERM, None)
    worker.set_state(WorkerStatus.BUSY)
    signal.pause()
    assert worker._stop_requested and signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_signal_while_rq_takes_leave_ends_the_worker_which_is_forgotten(deps, own_signals, monkeypatch):
    monkeypatch.setattr(jobs.worker, "deps", lambda: deps)
    for name in ("wait_for_ledger", "wait_for_redis", "forget_the_dead"):
        monkeypatch.setattr(jobs.worker, name, lambda *_: None)
    # Its thread would outlive this test.
    monkeypatch.setattr(jobs.worker, "PeriodicRunner", Mock())

    def stopped(stopping):
        raise StopRequested

    forgotten = []
    monkeypatch.setattr(jobs.worker, "_work", stopped)
    monkeypatch.setattr(jobs.worker, "forget_this_one", forgotten.append)
    jobs.worker.run()
    assert forgotten == [os.getppid()]


def test_a_dead_worker_whose_number_another_process_has_now_is_forgotten(redis_server, monkeypatch):
    queues = Queues(redis_server.url)
    monkeypatch.setattr(jobs.worker, "deps", lambda: SimpleNamespace(queues=queues))
    titles = ("funnel worker", "funnel web")
    with ExitStack() as ended:
        running = {}
        for title in titles:
            running[title] = ended.enter_context(Popen([title, "60"], executable=which("sleep")))
            ended.callback(running[title].kill)
            queues.send_heartbeat(WORKER, 60, jobs.worker.member(running[title].pid))
        jobs.worker.forget_the_dead()
        assert queues.members(WORKER, "") == [jobs.worker.member(running["funnel worker"].pid)]
