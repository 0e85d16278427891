"""Job clock: rq-scheduler with an owned lock, a resolution of a second, and tolerance of broken jobs."""

import math
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, cast
from uuid import uuid4

from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.queue import Queue
from rq_scheduler import Scheduler

from funnel_app.gateways.errors import redis_at_hand
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
                readable = list(self._readable(due, now))
                self._move(readable)
                moved += len(readable)
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

    def _readable(self, job_ids: list[bytes], now: float) -> Iterator[Job]:
        with self.connection.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.hgetall(Job.redis_job_namespace_prefix.encode() + job_id)
            hashes = pipe.execute(raise_on_error=False)
        for job_id, content in zip(job_ids, hashes, strict=True):
            try:
                yield _restored(job_id, content, self.connection)
            except UNREADABLE as error:
                self._set_aside(job_id, error, now)

    def _move(self, jobs: list[Job]) -> None:
        ids: defaultdict[str, list[str]] = defaultdict(list)
        with self.connection.pipeline() as pipe:
            for job in jobs:
                job.set_status(JobStatus.QUEUED, pipeline=pipe)
                # The whole hash, not just its status: it may have been deleted since it was read.
                job.save(pipeline=pipe)
                ids[Queue.redis_queue_namespace_prefix + job.origin].append(job.id)
            for key, some in ids.items():
                pipe.sadd(Queue.redis_queues_keys, key)
                pipe.rpush(key, *some)
                pipe.zrem(self.scheduled_jobs_key, *some)
            pipe.execute()

    def _set_aside(self, job_id: bytes, error: Exception, now: float) -> None:
        set_aside(self.connection, job_id, error, now)
        self.connection.zrem(self.scheduled_jobs_key, job_id)


def _restored(job_id: bytes, content: Any, connection: Redis) -> Job:
    """Return the job in a hash; one of UNREADABLE if it cannot be queued as it is."""
    if not isinstance(content, dict) or not content:
        raise NoSuchJobError(f"its hash is gone: {content!r}")
    job = OwnJob(job_id.decode(), connection=connection)
    job.restore(content)
    return job
