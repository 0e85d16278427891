"""Due jobs move to their queues, by one owner at a time, whatever one of them looks like."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from redis import Redis
from rq.job import Job, JobStatus
from rq.queue import Queue
from rq.serializers import JSONSerializer
from structlog.testing import capture_logs

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.job_clock import Clock
from funnel_app.gateways.redis.own_jobs import UNREADABLE_KEY
from funnel_app.gateways.redis.queue import CLOCK_KEY, Queues
from sandbox.redis_server import RedisServer

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
TIME = NOW.timestamp()
LOCK = "rq:scheduler_lock"


@pytest.fixture
def clock(connection: Redis) -> Clock:
    return Clock(connection)


def schedule(queues: Queues, *seconds: int) -> list[UUID]:
    ids = [uuid4() for _ in seconds]
    past = NOW - timedelta(days=1)
    assert queues.schedule([(each, NOW + timedelta(seconds=s)) for each, s in zip(ids, seconds, strict=True)], past)
    return ids


def waiting(connection: Redis) -> list[str]:
    return Queue("emails", connection=connection).get_job_ids()


def test_due_jobs_move_to_their_queue_and_later_ones_stay(queues: Queues, connection: Redis, clock: Clock) -> None:
    past, due, later = schedule(queues, -5, 0, 1)
    assert clock.tick(TIME + 0.02) == 2
    assert waiting(connection) == [f"email-{past}", f"email-{due}"]
    assert queues.scheduled([past, due, later]) == {later}
    assert Job.fetch(f"email-{due}", connection=connection).get_status() == JobStatus.QUEUED
    assert connection.sismember("rq:queues", "rq:queue:emails")


def test_a_tick_with_nothing_due_moves_nothing(queues: Queues, connection: Redis, clock: Clock) -> None:
    schedule(queues, 60)
    assert (clock.tick(TIME), waiting(connection)) == (0, [])


def test_more_jobs_than_one_trip_takes_all_move_in_one_tick(queues: Queues, connection: Redis, clock: Clock) -> None:
    ids = schedule(queues, *[0] * 450)
    assert clock.tick(TIME) == 450
    assert sorted(waiting(connection)) == sorted(f"email-{each}" for each in ids)


def lose_hash(connection: Redis, key: str) -> None:
    connection.delete(key)


def lose_data(connection: Redis, key: str) -> None:
    connection.hdel(key, "data")


def spoil_data(connection: Redis, key: str) -> None:
    connection.hset(key, "data", b"no JSON")


def name_no_function(connection: Redis, key: str) -> None:
    connection.hset(key, "data", JSONSerializer.dumps((None, None, (), {})))


def name_no_queue(connection: Redis, key: str) -> None:
    connection.hset(key, "origin", "")


def spoil_date(connection: Redis, key: str) -> None:
    connection.hset(key, "created_at", "yesterday")


def spoil_status(connection: Redis, key: str) -> None:
    connection.hset(key, "status", "unheard-of")


def replace_hash(connection: Redis, key: str) -> None:
    connection.delete(key)
    connection.set(key, "text")


POISONS = [
    lose_hash,
    lose_data,
    spoil_data,
    name_no_function,
    name_no_queue,
    spoil_date,
    spoil_status,
    replace_hash,
]


@pytest.mark.parametrize("poison", POISONS)
def test_a_job_that_cannot_be_read_is_set_aside_and_blocks_no_other(
    queues: Queues, connection: Redis, clock: Clock, poison: Callable[[Redis, str], None]
) -> None:
    bad, good = schedule(queues, -1, 0)
    poison(connection, Job.key_for(f"email-{bad}"))
    with capture_logs() as logs:
        assert clock.tick(TIME) == 1
    assert waiting(connection) == [f"email-{good}"]
    assert connection.zrange(UNREADABLE_KEY, 0, -1) == [f"email-{bad}".encode()]
    assert not queues.scheduled([bad, good])
    assert [entry["event"] for entry in logs] == ["job_set_aside"]


@pytest.mark.parametrize("job_id", [b"\xff\xfe", b"no job:at all", b""])
def test_an_entry_that_is_no_job_id_is_set_aside(connection: Redis, clock: Clock, job_id: bytes) -> None:
    connection.zadd(CLOCK_KEY, {job_id: TIME})
    connection.hset(b"rq:job:" + job_id, "data", "x")
    assert clock.tick(TIME) == 0
    assert (connection.zcard(CLOCK_KEY), connection.zrange(UNREADABLE_KEY, 0, -1)) == (0, [job_id])


def test_of_two_owners_only_the_first_moves_jobs(queues: Queues, connection: Redis, clock: Clock) -> None:
    schedule(queues, 0)
    other = Clock(connection)
    assert other.own()
    assert (clock.own(), clock.tick(TIME), waiting(connection)) == (False, 0, [])
    assert other.tick(TIME) == 1


def test_a_dead_owners_successor_takes_over_within_five_seconds(connection: Redis, clock: Clock) -> None:
    dead = Clock(connection)
    assert dead.own()
    assert 3000 < connection.pttl(LOCK) <= 4000
    assert not clock.own()
    connection.pexpire(LOCK, 0)
    assert clock.own()
    assert not dead.own(), "the dead owner, come back, does not share the lock"


def test_owning_renews_the_lock(connection: Redis, clock: Clock) -> None:
    assert clock.own()
    connection.pexpire(LOCK, 500)
    assert clock.own()
    assert connection.pttl(LOCK) > 3000


def test_only_the_owner_releases_the_lock(connection: Redis, clock: Clock) -> None:
    other = Clock(connection)
    assert clock.own()
    other.release()
    assert connection.get(LOCK) == clock.token.encode()
    clock.release()
    assert other.own()


def test_the_inherited_names_keep_the_same_rules(queues: Queues, connection: Redis, clock: Clock) -> None:
    bad, _ = schedule(queues, -1, 0)
    lose_hash(connection, Job.key_for(f"email-{bad}"))
    connection.zadd(CLOCK_KEY, dict.fromkeys(connection.zrange(CLOCK_KEY, 0, -1), 1))
    other = Clock(connection)
    assert other.acquire_lock()
    assert (clock.acquire_lock(), clock.enqueue_jobs()) == (False, 0)
    clock.remove_lock()
    assert other.enqueue_jobs() == 1
    other.remove_lock()
    assert clock.acquire_lock()


@pytest.mark.parametrize(("now", "seconds"), [(100.0, 1.02), (100.5, 0.52), (100.99, 0.03), (100.019, 1.001)])
def test_the_next_tick_is_just_after_the_next_second(now: float, seconds: float) -> None:
    assert Clock.seconds_to_next(now) == pytest.approx(seconds)


def test_without_redis_the_clock_says_try_again(redis_server: RedisServer, clock: Clock) -> None:
    redis_server.kill()
    for call in (clock.own, clock.release, lambda: clock.tick(TIME)):
        with pytest.raises(Unavailable):
            call()
