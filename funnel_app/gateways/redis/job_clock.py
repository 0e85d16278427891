"""Job clock: rq-scheduler with an owned lock, a resolution of a second, and tolerance of broken jobs."""

import math
import time
from collections.abc import Iterator
from typing import Any, cast
from uuid import uuid4

from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.queue import Queue
from rq_scheduler import Scheduler

from funnel_app.gateways.errors import redis_at_hand
from funnel_app.gateways.redis.job_names import QUEUES, Call, call_of
from funnel_app.gateways.redis.job_scripts import MOVE
from funnel_app.gateways.redis.job_writer import JobWriter, Timed
from funnel_app.gateways.redis.own_jobs import UNREADABLE, OwnJob, set_aside
from funnel_app.gateways.redis.scripts import OWN_LOCK, RELEASE_LOCK

LOCK_MS = 4000
JOBS_PER_TRIP = 200
AFTER_THE_SECOND_S = 0.020


class Clock(Scheduler):  # type: ignore[misc]  # rq-scheduler has no types
    """Moves due jobs to their queues while it owns the lock. A second one waits, and takes over from a dead one.

    It has no periodic jobs: those run in the scheduler process's own loop.
    """

    def __init__(self, connection: Redis) -> None:
        super().__init__(connection=connection, interval=1)
        self.token = uuid4().hex
        self._own = connection.register_script(OWN_LOCK)
        self._move_due = connection.register_script(MOVE)
        self._writer = JobWriter(connection)
        self._release = connection.register_script(RELEASE_LOCK)

    def own(self) -> bool:
        """Take or renew the lock for 4 s; False while another owner lives. Call it on each tick."""
        with redis_at_hand():
            return bool(self._own(keys=[self.scheduler_lock_key], args=[self.token, LOCK_MS]))

    def release(self) -> None:
        """Release our lock, so that a successor need not wait."""
        with redis_at_hand():
            self._release(keys=[self.scheduler_lock_key], args=[self.token])

    def tick(self, now: float) -> int:
        """Move the due jobs to their queues and return how many; without the lock none.

        A crash midway, or a second owner, queues a job twice rather than never: the ledger lets only one send.
        """
        moved = 0
        with redis_at_hand():
            while self.own() and (due := self._due(now)):
                moved += self._move(list(self._readable(due, now)), now)
        return moved

    def acquire_lock(self) -> bool:
        """Same as own(): the parent's lock does not know its owner."""
        return self.own()

    def remove_lock(self) -> None:
        """Same as release(): the parent would remove another owner's lock."""
        self.release()

    def enqueue_jobs(self) -> int:
        """Same as tick(): the parent stops at the first unreadable job."""
        return self.tick(time.time())

    @staticmethod
    def seconds_to_next(now: float) -> float:
        """Return the seconds until just after the next whole second, when the next jobs are due."""
        return math.floor(now) + 1 + AFTER_THE_SECOND_S - now

    def _due(self, now: float) -> list[bytes]:
        found = self.connection.zrangebyscore(self.scheduled_jobs_key, 0, int(now), start=0, num=JOBS_PER_TRIP)
        return cast(list[bytes], found)

    def _readable(self, job_ids: list[bytes], now: float) -> Iterator[Call]:
        with self.connection.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.hgetall(Job.redis_job_namespace_prefix.encode() + job_id)
            hashes = pipe.execute(raise_on_error=False)
        for job_id, content in zip(job_ids, hashes, strict=True):
            try:
                yield self._read(job_id, content, now)
            except UNREADABLE as error:
                self._set_aside(job_id, error, now)

    def _read(self, job_id: bytes, content: Any, now: float) -> Call:
        """Return the call of a job by its hash; raises one of UNREADABLE if it cannot be queued as it is.

        Nearly all are exactly as we wrote them. Any other is read as RQ reads it, and written once more.
        """
        if not isinstance(content, dict) or not content:
            raise NoSuchJobError(f"its hash is gone: {content!r}")
        queue, call = content.get(b"origin", b"").decode(), call_of(job_id.decode())
        if call and queue in QUEUES and self._writer.wrote(here := call._replace(queue=queue), content):
            return here
        job = OwnJob(job_id.decode(), connection=self.connection)
        job.restore(content)
        read = Call(job.id, str(job.func_name), tuple(job.args), job.origin)
        self._writer.write([Timed(read, int(now))])
        return read

    def _move(self, calls: list[Call], now: float) -> int:
        jobs = [field for call in calls for field in (call.job_id, Queue.redis_queue_namespace_prefix + call.queue)]
        keys = [self.scheduled_jobs_key, Queue.redis_queues_keys]
        return int(self._move_due(keys=keys, args=[int(now), *jobs])) if jobs else 0

    def _set_aside(self, job_id: bytes, error: Exception, now: float) -> None:
        set_aside(self.connection, job_id, error, now)
        self.connection.zrem(self.scheduled_jobs_key, job_id)
