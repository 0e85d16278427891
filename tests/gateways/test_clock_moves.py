"""What the clock moves is exactly what is still due and whole, in few round trips, and as rq-scheduler would."""

import zlib
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from redis import Redis
from rq.job import Job
from rq_scheduler import Scheduler

from funnel_app.gateways.redis.job_clock import Clock
from funnel_app.gateways.redis.own_jobs import UNREADABLE_KEY, OwnJob
from funnel_app.gateways.redis.queue import CLOCK_KEY, Queues
from tests.gateways.test_clock import NOW, TIME, lose_hash, schedule, waiting


@pytest.fixture
def clock(connection: Redis) -> Clock:
    return Clock(connection)


def move_after(clock: Clock, queues: Queues, change: Callable[[UUID], object]) -> tuple[UUID, int]:
    """Change a due email's job between the clock's look at it and its move."""
    (email,) = schedule(queues, 0)
    calls = list(clock._readable(clock._due(TIME), TIME))
    assert [call.job_id for call in calls] == [f"email-{email}"]
    change(email)
    return email, clock._move(calls, TIME)


def test_a_job_taken_off_the_clock_while_it_is_moved_is_not_queued(
    queues: Queues, connection: Redis, clock: Clock
) -> None:
    """Its email has gone, or goes no more. A hash with its status alone would be unreadable, and stay for ever."""
    email, moved = move_after(clock, queues, lambda email: queues.unschedule([email]))
    assert (moved, waiting(connection), connection.exists(Job.key_for(f"email-{email}"))) == (0, [], 0)


def test_a_job_put_later_while_it_is_moved_stays_on_the_clock(queues: Queues, connection: Redis, clock: Clock) -> None:
    email, moved = move_after(clock, queues, lambda email: queues.schedule([(email, NOW + timedelta(days=1))], NOW))
    assert (moved, waiting(connection), queues.scheduled([email])) == (0, [], {email})


def test_a_job_whose_hash_is_lost_while_it_is_moved_is_set_aside(
    queues: Queues, connection: Redis, clock: Clock
) -> None:
    _, moved = move_after(clock, queues, lambda email: lose_hash(connection, Job.key_for(f"email-{email}")))
    assert (moved, clock.tick(TIME), waiting(connection), connection.zcard(CLOCK_KEY)) == (0, 0, [], 0)
    assert connection.zcard(UNREADABLE_KEY) == 1


def test_a_moved_job_is_the_one_that_rq_scheduler_moves(queues: Queues, connection: Redis, clock: Clock) -> None:
    (email,) = schedule(queues, 0)
    key = Job.key_for(f"email-{email}")
    before = connection.hgetall(key)
    assert clock.tick(TIME) == 1
    ours, ours_waiting = connection.hgetall(key), waiting(connection)
    connection.flushdb()
    connection.hset(key, mapping=before)
    connection.zadd(CLOCK_KEY, {f"email-{email}": TIME})
    Scheduler(connection=connection, job_class=OwnJob).enqueue_jobs()
    # RQ notes too when a job was queued, which nobody here reads.
    theirs = {name: value for name, value in connection.hgetall(key).items() if name != b"enqueued_at"}
    # Nor does anybody mind whether it is packed.
    theirs[b"data"] = zlib.decompress(theirs[b"data"])
    assert (ours, ours_waiting) == (theirs, waiting(connection))
    assert (connection.zcard(CLOCK_KEY), connection.smembers("rq:queues")) == (0, {b"rq:queue:emails"})


def test_a_job_that_was_packed_moves_too(queues: Queues, connection: Redis, clock: Clock) -> None:
    """As those that the release before put on the clock are, and those that RQ writes."""
    (email,) = schedule(queues, 0)
    key = Job.key_for(f"email-{email}")
    connection.hset(key, "data", zlib.compress(connection.hget(key, "data")))
    assert (clock.tick(TIME), waiting(connection)) == (1, [f"email-{email}"])
    assert connection.zcard(UNREADABLE_KEY) == 0


def test_two_hundred_jobs_move_in_three_round_trips(queues: Queues, connection: Redis, clock: Clock) -> None:
    schedule(queues, *[0] * 200)
    assert clock.own()
    clock._move([], TIME)
    before = connection.info("commandstats")
    assert clock.tick(TIME) == 200
    after = connection.info("commandstats")
    calls = {name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"] for name in after}
    # Twice the lock and once the move, but for the script's first loading.
    assert calls["cmdstat_evalsha"] <= 4
    assert (calls["cmdstat_zrangebyscore"], calls["cmdstat_hgetall"]) == (2, 200)


def read_by_rq(connection: Redis, key: str) -> None:
    connection.hset(key, "worker_name", "another")


def made_otherwise(connection: Redis, key: str) -> None:
    connection.hset(key, "created_at", "2026-11-24T12:00:00Z")


@pytest.mark.parametrize("change", [read_by_rq, made_otherwise])
def test_a_job_that_we_would_write_otherwise_goes_too(
    queues: Queues, connection: Redis, clock: Clock, change: Callable[[Redis, str], None]
) -> None:
    (email,) = schedule(queues, 0)
    change(connection, Job.key_for(f"email-{email}"))
    assert clock.tick(TIME) == 1
    assert waiting(connection) == [f"email-{email}"]
    assert OwnJob.fetch(f"email-{email}", connection=connection).args == [str(email)]


def test_a_queue_is_read_only_as_far_as_the_job_that_leaves_it(queues: Queues, connection: Redis) -> None:
    """After an outage tens of thousands wait: to read all of them for each email kept Redis from everybody."""
    id_ = uuid4()
    connection.rpush("rq:queue:emails", f"email-{id_}", "others", f"email-{id_}")
    assert queues.unschedule([id_]) == 1
    assert connection.lrange("rq:queue:emails", 0, -1) == [b"others", f"email-{id_}".encode()]
