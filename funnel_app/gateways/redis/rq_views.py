"""What rq-dashboard may see of RQ: our queues, our jobs and the workers, read without pickles and without a trace."""

import zlib
from collections.abc import Mapping
from typing import Any

from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.queue import Queue
from rq.results import Result
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker, Worker

from funnel_app.gateways.redis.job_names import EMAILS, QUEUES
from funnel_app.gateways.redis.own_jobs import OwnJob


class ShownJob(OwnJob):
    """A job of ours to be looked at: what Redis holds beside our own fields is not read."""

    def get_meta(self, refresh: bool = True) -> dict[str, Any]:
        """Return nothing: our jobs have none."""
        return {}

    def latest_result(self, timeout: int = 0) -> Result | None:
        """Return what became of its last run; None where that cannot be read."""
        try:
            return super().latest_result(timeout)
        except (ValueError, TypeError, KeyError, zlib.error):
            return None

    def return_value(self, refresh: bool = False) -> None:
        """Return nothing: what our jobs return is not kept."""


class ShownQueue(Queue):
    """One of our queues; the emails' where none is named."""

    def __init__(self, name: str = EMAILS, connection: Redis | None = None, **_: object) -> None:
        """Raise NoSuchJobError for the name of another queue."""
        if name not in QUEUES:
            raise NoSuchJobError(f"there is no queue {name!r}")
        super().__init__(name, connection=connection, job_class=ShownJob, serializer=JSONSerializer)

    @classmethod
    def all(cls, connection: Redis, *_: object, **__: object) -> list[Queue]:
        """Return our queues, whatever other names stand in Redis."""
        return [cls(name, connection=connection) for name in QUEUES]


class ShownWorker(Worker):
    """A worker to be looked at."""

    job_class = ShownJob

    @classmethod
    def all(cls, connection: Redis | None = None, *_: Any, **__: Any) -> list[BaseWorker]:
        """Return the workers that registered in Redis."""
        found = super().all(connection=connection, job_class=ShownJob, serializer=JSONSerializer)
        return [worker for worker in found if set(worker.queue_names()) <= set(QUEUES)]


# What rq-dashboard's module is to use in place of RQ's own, which unpickle whatever a job's hash holds.
READERS: Mapping[str, type[Job] | type[Queue] | type[Worker]] = {
    "Job": ShownJob,
    "Queue": ShownQueue,
    "Worker": ShownWorker,
}
