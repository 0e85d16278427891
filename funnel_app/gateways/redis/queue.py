"""Queues: one job per email, queued or on the clock. Redis may lose all of it at any time."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TypeVar, cast
from uuid import UUID

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq.queue import Queue

from funnel_app.gateways.errors import redis_at_hand
from funnel_app.gateways.redis.clients import blocking_client, fail_fast_client
from funnel_app.gateways.redis.job_names import (
    EMAILS,
    QUEUES,
    TRANSACTIONAL,
    Call,
    deliver_job,
    email_job_id,
    mirror_job,
    queue_of,
    recheck_job,
    reconcile_job,
    repeat_job,
)
from funnel_app.gateways.redis.job_scripts import UNSCHEDULE
from funnel_app.gateways.redis.job_writer import CLOCK_KEY, JobWriter, Timed
from funnel_app.gateways.redis.own_jobs import queue_at
from funnel_app.gateways.redis.refusals import RedisFault, why_away
from funnel_app.gateways.redis.scripts import OWN_LOCK, RELEASE_LOCK

__all__ = [
    "CLOCK_KEY",
    "QUEUES",
    "Call",
    "Queues",
    "deliver_job",
    "mirror_job",
    "queue_of",
    "recheck_job",
    "reconcile_job",
    "repeat_job",
]

Entry = TypeVar("Entry")

log = structlog.get_logger(__name__)

MARKER_KEY = "funnel:clock:marker"
SEEN_KEY = "funnel:seen"
CIRCUIT_S = 5.0
JOBS_PER_TRIP = 500


class Queues:
    """The queues and the clock of one process. `connection` is for jobs/: RQ's workers and scheduler."""

    def __init__(
        self, redis_url: str, now: Callable[[], float] = time.time, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.connection: Redis = blocking_client(redis_url)
        self._fail_fast = fail_fast_client(redis_url)
        self._now = now
        self._monotonic = monotonic
        self._closed_until = 0.0
        self._writer, self._fail_fast_writer = JobWriter(self.connection), JobWriter(self._fail_fast)
        self._unschedule = self.connection.register_script(UNSCHEDULE)
        self._own = self.connection.register_script(OWN_LOCK)
        self._disown = self.connection.register_script(RELEASE_LOCK)

    def schedule(self, entries: Sequence[tuple[UUID, datetime]], now: datetime, queue: str = EMAILS) -> bool:
        """Queue emails that are due and schedule the others; False, never an error, if Redis is away.

        After a failure nothing is tried for 5 s, so that a hanging Redis does not slow down every hook.
        """
        if self._monotonic() < self._closed_until:
            return False
        try:
            for part in _parts(entries):
                self._fail_fast_writer.write(_timed(email_id, due, now, queue) for email_id, due in part)
        except RedisError as error:
            self._closed_until = self._monotonic() + CIRCUIT_S
            log.warning("scheduling_failed", emails=len(entries), error=str(error))
            return False
        return True

    def push(self, calls: Iterable[Call | tuple[str, str, tuple[str, ...], str]]) -> int:
        """Queue jobs now, except those already waiting, and take them off the clock; return how many.

        A job that seems to run is queued too: its worker may be dead, and the ledger lets only one send.
        """
        wanted = {call.job_id: call for call in (Call(*given) for given in calls)}
        with redis_at_hand():
            waiting = {queue: self._waiting(queue) for queue in {call.queue for call in wanted.values()}}
            missing = [call for call in wanted.values() if call.job_id not in waiting[call.queue]]
            for part in _parts(missing):
                self._writer.write(map(Timed, part))
        return len(missing)

    def scheduled(self, ids: Sequence[UUID]) -> set[UUID]:
        """Return the emails among these that are on the clock."""
        with redis_at_hand(), self.connection.pipeline(transaction=False) as pipe:
            for email_id in ids:
                pipe.zscore(CLOCK_KEY, email_job_id(email_id))
            return {email_id for email_id, score in zip(ids, pipe.execute(), strict=True) if score is not None}

    def unschedule(self, ids: Sequence[UUID]) -> int:
        """Take emails off the clock and the queue; return how many were there. A running job is left alone."""
        keys = [CLOCK_KEY, *(self._queue(name).key for name in (TRANSACTIONAL, EMAILS))]
        with redis_at_hand():
            return sum(int(self._unschedule(keys=keys, args=list(map(email_job_id, part)))) for part in _parts(ids))

    def marked(self) -> bool:
        """Say whether the clock was filled since Redis last lost everything."""
        with redis_at_hand():
            return bool(self.connection.exists(MARKER_KEY))

    def mark(self) -> None:
        """Record that the clock is filled; a flush forgets it."""
        with redis_at_hand():
            self.connection.set(MARKER_KEY, "1")

    def emails_wait(self) -> bool:
        """Say whether an email's job waits for a worker."""
        with redis_at_hand(), self.connection.pipeline(transaction=False) as pipe:
            for name in (EMAILS, TRANSACTIONAL):
                pipe.llen(self._queue(name).key)
            return any(pipe.execute())

    def own(self, name: str, owner: str, seconds: float) -> bool:
        """Take or renew a lock for this long; False while another owner has it."""
        with redis_at_hand():
            return bool(self._own(keys=[f"funnel:lock:{name}"], args=[owner, int(seconds * 1000)]))

    def disown(self, name: str, owner: str) -> None:
        """Release a lock if it is ours."""
        with redis_at_hand():
            self._disown(keys=[f"funnel:lock:{name}"], args=[owner])

    def send_heartbeat(self, name: str, ttl_s: int, member: str = "", *, age_s: float = 0.0) -> None:
        """Record a process's heartbeat for so many seconds; `member` tells several of a kind apart.

        With `age_s` the heartbeat was that many seconds ago.
        """
        with redis_at_hand(), self.connection.pipeline() as pipe:
            pipe.set(f"funnel:beat:{name}", "1", ex=ttl_s)
            pipe.hset(SEEN_KEY, f"{name}:{member}" if member else name, str(self._now() - age_s))
            pipe.execute()

    def members(self, name: str, beginning: str) -> list[str]:
        """Return the processes of a kind seen within a day, by prefix of their names."""
        with redis_at_hand():
            known = cast(list[bytes], self.connection.hkeys(SEEN_KEY))
        found = (member.decode().removeprefix(f"{name}:") for member in known if member.startswith(f"{name}:".encode()))
        return [member for member in found if member.startswith(beginning)]

    def forget(self, name: str, member: str) -> None:
        """Forget a process that exited, so that it is not missed; it may be exiting: this raises in half a second."""
        with redis_at_hand():
            self._fail_fast.hdel(SEEN_KEY, f"{name}:{member}")

    def alive(self, name: str) -> bool:
        """Say whether a process's heartbeat is current; for the web, so it raises within half a second."""
        with redis_at_hand():
            return bool(self._fail_fast.exists(f"funnel:beat:{name}"))

    def ping(self) -> bool:
        """Say within half a second whether Redis answers and accepts writes; never raises."""
        return self.why_away() is None

    def why_away(self) -> RedisFault | None:
        """Return within half a second why Redis does not work; None if it does."""
        return why_away(self._fail_fast)

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()
        self._fail_fast.close()

    def _waiting(self, name: str) -> set[str]:
        return {job_id.decode() for job_id in cast(list[bytes], self.connection.lrange(self._queue(name).key, 0, -1))}

    def _queue(self, name: str) -> Queue:
        return queue_at(name, self.connection)


def _timed(email_id: UUID, due: datetime, now: datetime, queue: str) -> Timed:
    # rq-scheduler stores whole seconds; rounded up, so that no job comes before its email is due.
    return Timed(deliver_job(email_id, queue), None if due <= now else math.ceil(due.timestamp()))


def _parts(entries: Iterable[Entry]) -> Iterator[Sequence[Entry]]:
    rest = iter(entries)
    while part := list(islice(rest, JOBS_PER_TRIP)):
        yield part
