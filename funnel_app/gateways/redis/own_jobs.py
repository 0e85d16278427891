"""RQ's jobs, of which only our own are read: their payloads are data, and their id says which call each is.

Whoever writes to Redis must not run code: RQ imports and calls any dotted name that a job's hash gives, for its
callbacks too, calls web addresses that stand in it, and its default payload is a pickle, which runs what it likes when
it is read (https://docs.python.org/3/library/pickle.html).
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
# What a job of ours says of itself; callbacks, webhooks, dependencies and what else RQ would act on are not read.
FIELDS = frozenset(
    b"data created_at origin description enqueued_at started_at ended_at last_heartbeat worker_name status".split()
)
PICKLE = b"\x80"
# RQ unpacks what it reads: ours are under 200 bytes, and so many unpack to a megabyte at most.
MOST_PACKED_BYTES = 1000

log = structlog.get_logger(__name__)


class ForeignJob(ValueError):
    """A job that is none of ours, and is not run."""


# What RQ raises for a hash that is gone, cut short or of another format, and we for one that is not ours.
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
    """A job of ours. One that is not, or cannot be read, RQ takes for gone."""

    def __init__(self, id: str | None = None, connection: Redis | None = None, serializer: object = None) -> None:
        """Take no serializer but ours, whatever RQ hands on or forgets to."""
        super().__init__(id, connection)
        # RQ would look through one that it is given, again for each job.
        self.serializer = JSONSerializer

    def restore(self, raw_data: Mapping[bytes, Any]) -> None:
        """Read the hash of a job; raises ForeignJob where its id or what it calls is none of ours.

        The payload of a release that still pickled is not read: its id says what it was to do.
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
        """Return a job; raises NoSuchJobError, which RQ passes over, also for one that is not ours."""
        try:
            return super().fetch(id, connection=connection)
        except NoSuchJobError:
            raise
        except UNREADABLE as error:
            cls.refuse(connection, id, error)
            raise NoSuchJobError(str(error)) from error

    @classmethod
    def fetch_many(cls, job_ids: Iterable[str], connection: Redis, serializer: object = None) -> list[Job | None]:
        """Return none of them: RQ asks so for jobs that depend on another, and none of ours does."""
        return [None for _ in job_ids]

    @classmethod
    def refuse(cls, connection: Redis | None, job_id: str, error: Exception) -> None:
        """Do nothing more: who only looks changes nothing."""


class WorkedJob(OwnJob):
    """A job as a worker takes it from a queue: what is not run is set aside and told."""

    @classmethod
    def refuse(cls, connection: Redis | None, job_id: str, error: Exception) -> None:
        """Set the job aside."""
        cls.refuse_id(connection, job_id.encode(), error)

    @classmethod
    def refuse_id(cls, connection: Redis | None, job_id: bytes, error: Exception) -> None:
        """Set aside what stands under an id, which may be no text."""
        if connection is not None:
            set_aside(connection, job_id, error, time.time())


class OwnQueue(Queue):
    """A queue of ours; an id that is no text, which RQ would die of, is set aside by whoever takes from it."""

    @classmethod
    def lpop(
        cls, queue_keys: Sequence[str], timeout: int | None, connection: Redis | None = None
    ) -> tuple[bytes, bytes] | None:
        """Return the next of RQ's jobs with its queue; None where there is none."""
        while (found := super().lpop(queue_keys, timeout, connection=connection)) is not None:
            try:
                found[1].decode()
            except UnicodeDecodeError as error:
                WorkedJob.refuse_id(connection, found[1], error)
            else:
                return (found[0], found[1])
        return None


def queue_at(name: str, connection: Redis) -> Queue:
    """Return a queue whose jobs are ours and whose payloads are data."""
    return OwnQueue(name, connection=connection, job_class=OwnJob, serializer=JSONSerializer)


def new_job(queue: Queue, call: Call, status: JobStatus) -> Job:
    """Return RQ's job for a call, not yet saved: its result is not kept, its failure for a day."""
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
