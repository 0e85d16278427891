"""A worker that is asked to stop does so after the job at hand, whatever Redis does meanwhile."""

import signal
from threading import Event
from unittest.mock import Mock

import pytest
from rq.exceptions import StopRequested
from rq.worker import WorkerStatus

import jobs.worker
from funnel_app.gateways.redis.clients import blocking_client
from funnel_app.gateways.redis.own_jobs import queue_at
from jobs.worker import Worker
from sandbox.redis_server import RedisServer


@pytest.fixture
def worker(redis_server, monkeypatch):
    """A worker of this process, which listens to no signal."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    connection = blocking_client(redis_server.url)
    worker = Worker([queue_at("emails", connection)], connection=connection)
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


def test_a_signal_while_rq_takes_leave_ends_the_worker(deps, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(jobs.worker, "deps", lambda: deps)
    for name in ("wait_for_ledger", "wait_for_redis", "forget_the_dead"):
        monkeypatch.setattr(jobs.worker, name, lambda *_: None)
    # Its thread would outlive this test.
    monkeypatch.setattr(jobs.worker, "PeriodicRunner", Mock())

    def stopped(stopping):
        raise StopRequested

    monkeypatch.setattr(jobs.worker, "_work", stopped)
    assert jobs.worker.run() is None
