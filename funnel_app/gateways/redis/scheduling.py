"""Scheduling: put jobs on their queue or on the clock in one step, with the hashes that RQ and rq-scheduler write.

Fields that are equal in all jobs of a queue come from a job made by RQ once, and are sent once.
"""

import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple

from redis import Redis
from rq.job import JobStatus
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.utils import get_call_string, utcformat

from funnel_app.gateways.redis.job_names import Call
from funnel_app.gateways.redis.own_jobs import new_job, queue_at
from funnel_app.gateways.redis.scripts import SCHEDULE

CLOCK_KEY = "rq:scheduler:scheduled_jobs"
OF_ONE_JOB = frozenset({"data", "description", "status"})
LONGEST_ARGUMENT = 75
Field = str | bytes | int


class Timed(NamedTuple):
    """A job, and the second at which it goes to its queue; None for now."""

    call: Call
    at_s: int | None = None


class JobWriter:
    """Writes jobs over one connection."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._script = connection.register_script(SCHEDULE)
        self._constant: dict[str, dict[str, Field]] = {}
        self._queues: dict[str, Queue] = {}

    def write(self, jobs: Iterable[Timed]) -> None:
        """Put jobs on their queues or on the clock, one round trip a queue, replacing earlier ones."""
        for name, group in groupby(sorted(jobs, key=lambda job: job.call.queue), key=lambda job: job.call.queue):
            self._write(name, list(group))

    def _write(self, name: str, jobs: Sequence[Timed]) -> None:
        queue = self._queue(name)
        constant = {**self._constant_of(queue, jobs[0].call), "created_at": utcformat(datetime.now(UTC))}
        fields = [each for field in constant.items() for each in field]
        arguments: list[Field] = [len(fields), *fields, *(each for job in jobs for each in _own(job))]
        self._script(keys=[CLOCK_KEY, Queue.redis_queues_keys, queue.key], args=arguments)

    def _queue(self, name: str) -> Queue:
        if name not in self._queues:
            self._queues[name] = queue_at(name, self._connection)
        return self._queues[name]

    def _constant_of(self, queue: Queue, call: Call) -> dict[str, Field]:
        if queue.name not in self._constant:
            made = new_job(queue, call, JobStatus.QUEUED).to_dict()
            self._constant[queue.name] = {field: value for field, value in made.items() if field not in OF_ONE_JOB}
        return self._constant[queue.name]


def _own(job: Timed) -> tuple[Field, ...]:
    call = job.call
    data = zlib.compress(JSONSerializer.dumps((call.function, None, call.args, {})))  # type: ignore[no-untyped-call]
    description = get_call_string(call.function, call.args, {}, max_length=LONGEST_ARGUMENT)
    return call.job_id, "" if job.at_s is None else job.at_s, data, description or ""
