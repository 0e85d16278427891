"""Workers: RQ's, forked from a parent that keeps `WORKERS` of them alive."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

import structlog
from redis import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import InvalidJobOperation, StopRequested
from rq.executions import Execution
from rq.job import Job
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker import WorkerStatus
from sqlalchemy.exc import ProgrammingError

from funnel_app.flows.monitoring.status.ready import WORKER
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.clients import blocking_client
from funnel_app.gateways.redis.own_jobs import OwnQueue, WorkedJob, queue_at
from funnel_app.gateways.redis.queue import QUEUES
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.ledger.database.troubles import explain
from funnel_app.periodic import PeriodicRunner, PeriodicTask, time_tasks
from jobs import deliver, mirror, recheck, reconcile
from jobs.command_line import take_nothing
from jobs.first_step import start
from jobs.heartbeat import record_heartbeat, reset
from jobs.parent import Parent, Part, title
from jobs.process import deps, wait_for_ledger, wait_for_redis
from jobs.processes import CHILD
from jobs.seldom import Seldom
from jobs.sign import RENEWED_EVERY_S, Sign
from jobs.stop import Stop

# RQ imports jobs by name: imported by a parent, they need no import in its children.
JOBS = (deliver, mirror, recheck, reconcile)

# Longer than a call to Resend: a second signal ends a worker in the middle of one.
ORPHAN_LOOKED_FOR_EVERY_S = 30.0
STOP_AGAIN_AFTER_S = 0.5

LEDGER_AWAY = Seldom()
log = structlog.get_logger()


class Worker(SimpleWorker):
    """RQ's worker without a fork per job, which costs more than an email. It runs only our own jobs."""

    job_class = WorkedJob
    queue_class = OwnQueue
    stopping = Event()

    def _install_signal_handlers(self) -> None:
        """Handle signals from now on, and one that came before: it is not sent again."""
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]
        if self.stopping.is_set():
            self._stop_requested = True

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Stop after the job at hand, and remember that where RQ ends with an error, since Redis is away."""
        self.stopping.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def _shutdown(self) -> None:
        """End the wait for a job with StopRequested, and again until this worker takes leave.

        A signal's error is raised at whatever line is run, and logging and redis-py catch each error in some of theirs.
        RQ would raise it once, say so to Redis within the signal, and if that is away, break the job at hand.
        """
        self._stop_requested = True
        if self.get_state() != WorkerStatus.BUSY:
            signal.signal(signal.SIGALRM, lambda *_: self._shutdown())
            signal.setitimer(signal.ITIMER_REAL, STOP_AGAIN_AFTER_S)
            raise StopRequested

    def teardown(self) -> None:
        """Take leave of RQ, but not of a Redis that is away or hangs: RQ forgets who is silent."""
        end_alarm()
        if not self.stopping.is_set() or deps().queues.ping():
            super().teardown()  # type: ignore[no-untyped-call]

    def clean_registries(self) -> None:
        """Clean up RQ's registries; an id in one that is no text is logged and skipped."""
        try:
            super().clean_registries()  # type: ignore[no-untyped-call]
        except UnicodeDecodeError as fault:
            self.last_cleaned_at = now()  # type: ignore[assignment]  # RQ says None alone
            log.error("registry_not_cleaned", error=str(fault))

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log why a job failed, as RQ does; an unavailable ledger once a minute, since every job meets it."""
        fault = exc_info[1]
        if not isinstance(fault, LedgerUnavailable) or isinstance(fault, ProgrammingError):
            super().handle_exception(job, *exc_info)
        elif LEDGER_AWAY.is_due():
            log.warning("database_unavailable", error=explain(fault))

    def procline(self, message: str) -> None:
        """Leave the process title to `jobs.parent`."""

    def perform_job(self, job: Job, queue: Queue, execution: Execution) -> bool:
        """Run a job; its logs carry the job's id."""
        with structlog.contextvars.bound_contextvars(job=job.id):
            return super().perform_job(job, queue, execution)

    def handle_job_success(
        self, job: Job, queue: Queue, started_job_registry: StartedJobRegistry, execution: Execution
    ) -> None:
        """Clean up after a finished job, also if another worker ran the same one and cleaned up first.

        The sweep requeues a job whose worker may be dead; if it was alive, two ran, and the ledger let one send. RQ
        would report the second as failed, which nobody can fix.
        """
        try:
            super().handle_job_success(job, queue, started_job_registry, execution)
        except InvalidJobOperation:
            if self.connection.hexists(job.key, "status"):
                raise
            with self.connection.pipeline() as pipe:
                self.cleanup_execution(job, pipeline=pipe, execution=execution)
                pipe.delete(job.key)  # RQ's heartbeat has just written part of it again
                pipe.execute()
            log.info("duplicate_job_ignored")

    def heartbeat(self, *args: object, **kwargs: object) -> None:
        """Tell RQ and the readiness check that this worker is alive."""
        super().heartbeat(*args, **kwargs)  # type: ignore[arg-type]
        SIGN.give(deps())


def end_alarm() -> None:
    """Raise no alarm any more in this process."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def member(pid: int | None = None) -> str:
    """Return a worker's name in heartbeats on this machine; without a number the common prefix."""
    return f"{socket.gethostname()}:{pid or ''}"


SIGN = Sign(lambda: member(os.getpid()))


def forget_the_dead() -> None:
    """Forget this machine's dead workers; without Redis they are missed for an hour."""
    with suppress(Unavailable):
        for name in deps().queues.members(WORKER, member()):
            if not _is_worker(name.rpartition(":")[2]):
                deps().queues.forget(WORKER, name)


def _is_worker(pid: str) -> bool:
    # In a container that starts again, the number of a dead one is another process's soon.
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(title(WORKER).encode())
    return False


def forget_this_one(parent: int) -> None:
    """Forget this worker, which exits cleanly; without Redis, or its parent, it is missed for an hour."""
    if os.getppid() != parent:
        return
    with suppress(Unavailable):
        deps().queues.forget(WORKER, member(os.getpid()))


def end_with(parent: int) -> Callable[[object], None]:
    """Return a task that ends this process once its parent is gone, if the kernel's signal did not."""

    def end_with_parent(_: object) -> None:
        if os.getppid() != parent:
            log.warning("parent_gone", hint="this worker ends too")
            os.kill(os.getpid(), signal.SIGTERM)

    return end_with_parent


def run() -> None:
    """Work until stopped; wait for Redis and the ledger instead of exiting without them."""
    parent, stopping = os.getppid(), Stop()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    wait_for_ledger(stopping, CHILD)
    tasks = [PeriodicTask(RENEWED_EVERY_S, SIGN.renew), PeriodicTask(ORPHAN_LOOKED_FOR_EVERY_S, end_with(parent))]
    PeriodicRunner(deps, [*time_tasks(), *tasks], Event()).start()
    while not stopping.is_set():
        wait_for_redis(stopping, CHILD)
        if stopping.is_set():
            return
        forget_the_dead()
        try:
            _work(stopping)
        except StopRequested:  # while RQ took leave
            end_alarm()
        except (RedisError, Unavailable) as fault:
            signal.signal(signal.SIGTERM, lambda *_: stopping.set())
            log.warning("redis_unavailable", error=str(fault))
            stopping.wait(1)
            continue
        forget_this_one(parent)
        return


def _work(stopping: Event) -> None:
    # RQ extends the timeouts of the pool that it blocks on, so it has one of its own.
    connection = blocking_client(deps().settings.redis_url)
    queues = [queue_at(name, connection) for name in QUEUES]
    # RQ's heartbeats come with each job, and otherwise 15 s before this expires: twice while it listens.
    ttl = 15 + seconds(deps().settings.silent_after) // 2
    record_heartbeat(CHILD)
    worker = Worker(queues, connection=connection, worker_ttl=ttl, serializer=JSONSerializer)
    worker.stopping = stopping
    worker.work(logging_level="WARNING")


def seconds(span: timedelta) -> int:
    """Return a span in whole seconds."""
    return int(span.total_seconds())


def worker_parts(count: int) -> list[Part]:
    """Return so many workers for a parent to keep alive, after resetting their heartbeat files."""
    reset(CHILD)
    return [Part(WORKER, run, look_after=partial(record_heartbeat, WORKER)) for _ in range(count)]


def main() -> int:
    """Keep `WORKERS` workers alive until stopped; 1 if one does not stay up."""
    count = start().workers
    # Before the fork, so that they are in memory once.
    deps()
    return Parent(worker_parts(count)).run()


if __name__ == "__main__":
    take_nothing(__doc__)
    sys.exit(main())
