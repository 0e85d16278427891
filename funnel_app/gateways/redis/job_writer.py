"""Job writer: put jobs on their queue or on the clock in one step, with the hashes that RQ and rq-scheduler write.

Fields that are equal in all jobs of a queue come from a job made by RQ once, and are sent once.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as quoted
from typing import NamedTuple

from redis import Redis
from rq.job import JobStatus
from rq.queue import Queue
from rq.utils import utcformat

from funnel_app.gateways.redis.job_names import Call
from funnel_app.gateways.redis.job_scripts import SCHEDULE
from funnel_app.gateways.redis.own_jobs import new_job, queue_at

CLOCK_KEY = "rq:scheduler:scheduled_jobs"
OF_ONE_JOB = frozenset({"created_at", "data", "description", "status"})
LONGEST_ARGUMENT = 75
# RQ's way to write a time.
MADE_AT = re.compile(rb"\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-5]\d\.\d{6}Z")


class Timed(NamedTuple):
    """A job, and the second at which it goes to its queue; None for now."""

    call: Call
    at_s: int | None = None


class JobWriter:
    """Writes jobs over one connection."""

    def __init__(self, connection: Redis) -> None:
        self._connection = connection
        self._script = connection.register_script(SCHEDULE)
        self._shared: dict[str, str] = {}
        self._read: dict[str, dict[bytes, bytes]] = {}
        self._queues: dict[str, Queue] = {}

    def write(self, jobs: Iterable[Timed]) -> None:
        """Put jobs on their queues or on the clock, one round trip a queue, replacing earlier ones."""
        by_queue: defaultdict[str, list[Timed]] = defaultdict(list)
        for job in jobs:
            by_queue[job.call.queue].append(job)
        for name in sorted(by_queue):
            self._write(name, by_queue[name])

    def _write(self, name: str, jobs: Sequence[Timed]) -> None:
        queue, made_at = self._queue(name), utcformat(datetime.now(UTC))
        told = [
            (call.job_id, "" if at_s is None else str(at_s), payload_of(call), description_of(call))
            for call, at_s in jobs
        ]
        arguments = [self._shared_by(queue, jobs[0].call), made_at, json.dumps(told)]
        self._script(keys=[CLOCK_KEY, Queue.redis_queues_keys, queue.key], args=arguments)

    def wrote(self, call: Call, content: Mapping[bytes, bytes]) -> bool:
        """Say whether a hash is what write() leaves of a job on the clock, but for when it was made."""
        ours = self._texts(call) | {b"data": payload_of(call).encode(), b"description": description_of(call).encode()}
        made_at = content.get(b"created_at", b"")
        return MADE_AT.fullmatch(made_at) is not None and content == ours | {b"created_at": made_at}

    def _texts(self, call: Call) -> dict[bytes, bytes]:
        if call.queue not in self._read:
            flat = [text.encode() for text in json.loads(self._shared_by(self._queue(call.queue), call))]
            self._read[call.queue] = {**dict(zip(flat[::2], flat[1::2], strict=True)), b"status": b"scheduled"}
        return self._read[call.queue]

    def _queue(self, name: str) -> Queue:
        if name not in self._queues:
            self._queues[name] = queue_at(name, self._connection)
        return self._queues[name]

    def _shared_by(self, queue: Queue, call: Call) -> str:
        """Return what is the same in all jobs of a queue, as JSON: names and values of a hash, one after the other."""
        if queue.name not in self._shared:
            made = new_job(queue, call, JobStatus.QUEUED).to_dict()
            shared = {field: value for field, value in made.items() if field not in OF_ONE_JOB}
            self._shared[queue.name] = json.dumps([str(each) for field in shared.items() for each in field])
        return self._shared[queue.name]


def payload_of(call: Call) -> str:
    """Return a call as RQ's JSONSerializer writes it; all arguments are texts.

    RQ packs it, and reads it as well where it is not: to pack eighty bytes takes longer than all else of a job.
    """
    return f"[{quoted(call.function)}, null, [{', '.join(map(quoted, call.args))}], {{}}]"


def description_of(call: Call) -> str:
    """Return a call as RQ describes it: arguments that are too long are cut off."""
    told = [text if len(text) <= LONGEST_ARGUMENT else f"{text[:LONGEST_ARGUMENT]}..." for text in map(repr, call.args)]
    return f"{call.function}({', '.join(told)})"
