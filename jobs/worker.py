"""The worker process: a parent that keeps `WORKERS` RQ workers alive."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from threading import Event

import structlog
from redis import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import InvalidJobOperation
from rq.executions import Execution
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from funnel_app.flows.monitoring.ready import WORKER
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.clients import blocking_client
from funnel_app.gateways.redis.own_jobs import WorkedJob, queue_at
from funnel_app.gateways.redis.queue import QUEUES
from funnel_app.periodic import PeriodicRunner, time_rounds
from jobs.heartbeat import beat, reset
from jobs.process import deps, start, wait_for_ledger, wait_for_redis
from jobs.processes import CHILD

CHECK_EVERY_S = 0.5
# An email in hand takes 7 s at most for Resend to answer, and a moment to record it.
GRACE_S = 7.7
PR_SET_PDEATHSIG = 1

log = structlog.get_logger()


class Worker(SimpleWorker):
    """RQ's worker without a fork per job: an email takes less time than the fork. It runs our own jobs alone."""

    job_class = WorkedJob

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Run a job; what it logs carries the job's id."""
        with structlog.contextvars.bound_contextvars(job=job.id):
            return super().perform_job(job, queue, execution)

    def handle_job_success(
        self, job: Job, queue: Queue, started_job_registry: StartedJobRegistry, execution: Execution
    ) -> None:
        """Clean up after a job that is done, also where another worker did the same one and cleaned up first.

        The sweep queues a job again while its worker may be dead; where that lived, two ran, and the ledger let one
        send. RQ would report the second as failed for a reason that nobody can do anything about.
        """
        try:
            super().handle_job_success(job, queue, started_job_registry, execution)
        except InvalidJobOperation:
            if self.connection.hexists(job.key, "status"):
                raise
            with self.connection.pipeline() as pipe:
                self.cleanup_execution(job, pipeline=pipe, execution=execution)
                pipe.delete(job.key)  # RQ's sign of life has just written a part of it again
                pipe.execute()
            log.info("duplicate_job_ignored")

    def heartbeat(self, *args: object, **kwargs: object) -> None:
        """Tell RQ, and whoever asks whether Funnel is ready, that this worker lives."""
        super().heartbeat(*args, **kwargs)  # type: ignore[arg-type]
        deps().queues.beat(WORKER, seconds(deps().settings.silent_after), self.name)


def run_child(parent: int) -> None:
    """Work until told to stop; wait for Redis and for the ledger instead of dying of their absence."""
    if not _dies_with(parent):
        return
    start()
    stopping = Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    wait_for_ledger(stopping, CHILD)
    PeriodicRunner(deps, time_rounds(), stopping).start()
    while not stopping.is_set():
        wait_for_redis(stopping, CHILD)
        if stopping.is_set():
            return
        try:
            _work()
            return
        except (RedisError, Unavailable) as fault:
            log.warning("redis_unavailable", error=str(fault))
            stopping.wait(1)


def _dies_with(parent: int) -> bool:
    """Ask the kernel to end this process with its parent; False where the parent is already gone."""
    # Children of a parent that was killed would go on beside those of its successor.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    return os.getppid() == parent


def _work() -> None:
    # RQ lengthens the timeouts of the pool that it blocks on: this one is for it alone.
    connection = blocking_client(deps().settings.redis_url)
    queues = [queue_at(name, connection) for name in QUEUES]
    # RQ gives a sign when it takes a job, and while it waits for one 15 s before this is over: twice while we listen.
    ttl = 15 + seconds(deps().settings.silent_after) // 2
    beat(CHILD)
    Worker(queues, connection=connection, worker_ttl=ttl, serializer=JSONSerializer).work(logging_level="WARNING")


def seconds(span: timedelta) -> int:
    """Return a span in whole seconds."""
    return int(span.total_seconds())


class Parent:
    """Keeps the children running; passes a stop on and waits for the email in hand."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.stopping = Event()
        self.children: list[subprocess.Popen[bytes]] = []

    def run(self) -> None:
        """Run until SIGTERM or SIGINT."""
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, lambda *_: self.stopping.set())
        reset(CHILD)
        while not self.stopping.is_set():
            beat(WORKER)
            self._replace_dead()
            self.stopping.wait(CHECK_EVERY_S)
        self._stop_children()

    def _replace_dead(self) -> None:
        living = [child for child in self.children if child.poll() is None]
        for child in self.children:
            if child not in living:
                log.error("worker_died", pid=child.pid, code=child.returncode)
        missing = self.count - len(living)
        self.children = living + [self._spawn() for _ in range(missing)]

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "jobs.worker", "--child-of", str(os.getpid())])

    def _stop_children(self) -> None:
        for child in self.children:
            child.terminate()
        deadline = time.monotonic() + GRACE_S
        for child in self.children:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("worker_killed", pid=child.pid)
                child.kill()


def main() -> None:
    """Start the parent, or one of its children."""
    if len(sys.argv) == 3 and sys.argv[1] == "--child-of":
        run_child(int(sys.argv[2]))
        return
    settings = start()
    Parent(settings.workers).run()


if __name__ == "__main__":
    main()
