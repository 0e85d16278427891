"""Own jobs: RQ's jobs restricted to ours: payloads are data, and the id determines the call.

Whoever can write to Redis must not be able to run code: RQ imports and calls any dotted name in a job's hash, for
callbacks too, calls webhooks in it, and by default unpickles the payload, which executes code
(https://docs.python.org/3/library/pickle.html).
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import ResponseError
from rq.exceptions import DeserializationError, NoSuchJobError, TimeoutFormatError
from rq.job import Job, JobStatus
from rq.queue import Queue
from rq.serializers import JSONSerializer

from funnel_app.gateways.redis.job_names import FAILURE_TTL_S, JOB_TIMEOUT_S, QUEUES, Call, call_of

UNREADABLE_KEY = "funnel:clock:unreadable"
KEPT_S = 86_400
MOST_SET_ASIDE = 1000
# The fields of our jobs; callbacks, webhooks, dependencies and others that RQ acts on are not read.
FIELDS = frozenset(
    b"data created_at origin description enqueued_at started_at ended_at last_heartbeat worker_name status".split()
)
PICKLE = b"\x80"
# RQ decompresses what it reads: ours are under 200 bytes, and this size decompresses to a megabyte at most.
MOST_PACKED_BYTES = 1000

log = structlog.get_logger(__name__)


class ForeignJob(ValueError):
    """A job that is not ours, and is not run."""


# RQ's errors for a hash that is missing, truncated or of another format, and ours for one that is not ours.
UNREADABLE = (
    NoSuchJobError,
    DeserializationError,
    TimeoutFormatError,
    ForeignJob,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    AssertionError,
    ResponseError,
)


class OwnJob(Job):
    """A job of ours. RQ treats any other, or an unreadable one, as missing."""

    def __init__(self, id: str | None = None, connection: Redis | None = None, serializer: object = None) -> None:
        """Use our serializer, whatever RQ passes."""
        super().__init__(id, connection)
        # RQ would inspect a given one again for each job.
        self.serializer = JSONSerializer

    def restore(self, raw_data: Mapping[bytes, Any]) -> None:
        """Read the hash of a job; raises ForeignJob if its id or its call is not ours.

        Payloads pickled by earlier releases are not read: the id says what to do.
        """
        call = call_of(self.id)
        if len(raw_data.get(b"data", b"")) > MOST_PACKED_BYTES:
            raise ForeignJob("its payload is longer than any of ours")
        super().restore({name: value for name, value in raw_data.items() if name in FIELDS})
        if call is None:
            raise ForeignJob("its id is none of our jobs'")
        if self.origin not in QUEUES:
            raise ForeignJob(f"{self.origin!r} is none of our queues")
        if self.data.startswith(PICKLE):
            self._call(call)
        elif (self.func_name, self.instance, self.args, self.kwargs) != (call.function, None, list(call.args), {}):
            raise ForeignJob(f"it calls {self.func_name!r} with what its id does not say")
        self.timeout, self.result_ttl, self.failure_ttl = JOB_TIMEOUT_S, 0, FAILURE_TTL_S

    def _call(self, call: Call) -> None:
        self.func_name, self.args, self.kwargs = call.function, list(call.args), {}
        self.instance = None

    @classmethod
    def fetch(cls, id: str, connection: Redis | None = None, serializer: object = None) -> Job:
        """Return a job; raises NoSuchJobError, which RQ skips, also for one that is not ours."""
        try:
            return super().fetch(id, connection=connection)
        except NoSuchJobError:
            raise
        except UNREADABLE as error:
            cls.refuse(connection, id, error)
            raise NoSuchJobError(str(error)) from error

    @classmethod
    def fetch_many(cls, job_ids: Iterable[str], connection: Redis, serializer: object = None) -> list[Job | None]:
        """Return none: RQ calls this for dependent jobs, and we have none."""
        return [None for _ in job_ids]

    @classmethod
    def refuse(cls, connection: Redis | None, job_id: str, error: Exception) -> None:
        """Do nothing: a viewer changes nothing."""


class WorkedJob(OwnJob):
    """A job as a worker takes it from a queue; a refused one is a dead letter and is reported."""

    @classmethod
    def refuse(cls, connection: Redis | None, job_id: str, error: Exception) -> None:
        """Move the job to the dead letters."""
        cls.refuse_id(connection, job_id.encode(), error)

    @classmethod
    def refuse_id(cls, connection: Redis | None, job_id: bytes, error: Exception) -> None:
        """Move what is under an id, possibly not text, to the dead letters."""
        if connection is not None:
            set_aside(connection, job_id, error, time.time())


class OwnQueue(Queue):
    """A queue of ours; an id that is no text, which would crash RQ, becomes a dead letter."""

    @classmethod
    def lpop(
        cls, queue_keys: Sequence[str], timeout: int | None, connection: Redis | None = None
    ) -> tuple[bytes, bytes] | None:
        """Return RQ's next job with its queue; None if there is none."""
        while (found := super().lpop(queue_keys, timeout, connection=connection)) is not None:
            try:
                found[1].decode()
            except UnicodeDecodeError as error:
                WorkedJob.refuse_id(connection, found[1], error)
            else:
                return (found[0], found[1])
        return None


def queue_at(name: str, connection: Redis) -> Queue:
    """Return a queue restricted to our jobs."""
    return OwnQueue(name, connection=connection, job_class=OwnJob, serializer=JSONSerializer)


def new_job(queue: Queue, call: Call, status: JobStatus) -> Job:
    """Return an unsaved RQ job for a call: results are not kept, failures for a day."""
    return queue.create_job(
        call.function,
        args=call.args,
        job_id=call.job_id,
        result_ttl=0,
        failure_ttl=FAILURE_TTL_S,
        timeout=JOB_TIMEOUT_S,
        status=status,
    )


def set_aside(connection: Redis, job_id: bytes, error: Exception, now: float) -> None:
    """Note a job that is not run, and say why; its hash stays for a day, for whoever wants to look."""
    with connection.pipeline() as pipe:
        pipe.zadd(UNREADABLE_KEY, {job_id: now})
        pipe.zremrangebyscore(UNREADABLE_KEY, 0, now - KEPT_S)
        pipe.zremrangebyrank(UNREADABLE_KEY, 0, -MOST_SET_ASIDE - 1)
        pipe.expire(Job.redis_job_namespace_prefix.encode() + job_id, KEPT_S)
        pipe.execute()
    log.error("job_set_aside", job_id=repr(job_id), error=f"{type(error).__name__}: {error}")
