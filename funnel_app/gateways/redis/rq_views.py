"""RQ views for rq-dashboard: our queues, jobs and workers, read without unpickling and without side effects."""

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
    """A job of ours, for display: only our own fields are read."""

    def get_meta(self, refresh: bool = True) -> dict[str, Any]:
        """Return an empty dict: our jobs have no meta."""
        return {}

    def latest_result(self, timeout: int = 0) -> Result | None:
        """Return the result of the last run; None if unreadable."""
        try:
            return super().latest_result(timeout)
        except (ValueError, TypeError, KeyError, zlib.error):
            return None

    def return_value(self, refresh: bool = False) -> None:
        """Return None: results are not kept."""


class ShownQueue(Queue):
    """One of our queues; by default the emails'."""

    def __init__(self, name: str = EMAILS, connection: Redis | None = None, **_: object) -> None:
        """Raise NoSuchJobError for the name of another queue."""
        if name not in QUEUES:
            raise NoSuchJobError(f"there is no queue {name!r}")
        super().__init__(name, connection=connection, job_class=ShownJob, serializer=JSONSerializer)

    @classmethod
    def all(cls, connection: Redis, *_: object, **__: object) -> list[Queue]:
        """Return our queues, ignoring other names in Redis."""
        return [cls(name, connection=connection) for name in QUEUES]


class ShownWorker(Worker):
    """A worker, for display."""

    job_class = ShownJob

    @classmethod
    def all(cls, connection: Redis | None = None, *_: Any, **__: Any) -> list[BaseWorker]:
        """Return the workers that registered in Redis."""
        found = super().all(connection=connection, job_class=ShownJob, serializer=JSONSerializer)
        return [worker for worker in found if set(worker.queue_names()) <= set(QUEUES)]


# Replacements in rq-dashboard's module for RQ's classes, which unpickle a job's hash.
READERS: Mapping[str, type[Job] | type[Queue] | type[Worker]] = {
    "Job": ShownJob,
    "Queue": ShownQueue,
    "Worker": ShownWorker,
}
