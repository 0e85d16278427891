"""One job per email, on the queue or on the clock, and no hook that waits for Redis."""

import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from redis import Redis
from rq.job import Job, JobStatus
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq_scheduler import Scheduler
from structlog.testing import capture_logs

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.own_jobs import OwnJob, new_job, queue_at
from funnel_app.gateways.redis.queue import (
    CLOCK_KEY,
    Call,
    Queues,
    deliver_job,
    mirror_job,
    queue_of,
    recheck_job,
    reconcile_job,
    repeat_job,
)
from sandbox.redis_server import RedisServer, free_port
from tests.pace import patient

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
EMAIL = UUID("01900000-0000-7000-8000-000000000001")
JOB_ID = f"email-{EMAIL}"


@pytest.fixture
def away() -> Iterator[Queues]:
    built = Queues(f"redis://127.0.0.1:{free_port()}/0")
    yield built
    built.close()


def waiting(connection: Redis, name: str = "emails") -> list[str]:
    return Queue(name, connection=connection).get_job_ids()


def clock(connection: Redis) -> dict[str, float]:
    return {job_id.decode(): score for job_id, score in connection.zrange(CLOCK_KEY, 0, -1, withscores=True)}


def test_an_email_that_is_due_goes_straight_onto_the_queue(queues: Queues, connection: Redis) -> None:
    assert queues.schedule([(EMAIL, NOW)], NOW)
    assert (waiting(connection), clock(connection)) == ([JOB_ID], {})


def test_a_later_email_goes_on_the_clock(queues: Queues, connection: Redis) -> None:
    assert queues.schedule([(EMAIL, LATER)], NOW)
    assert (waiting(connection), clock(connection)) == ([], {JOB_ID: LATER.timestamp()})


def test_no_job_comes_before_its_email_is_due(queues: Queues, connection: Redis) -> None:
    queues.schedule([(EMAIL, LATER + timedelta(milliseconds=300))], NOW)
    assert clock(connection) == {JOB_ID: LATER.timestamp() + 1}


@pytest.mark.parametrize(("due", "status"), [(NOW, JobStatus.QUEUED), (LATER, JobStatus.SCHEDULED)])
def test_a_job_calls_the_delivery_with_the_id_of_its_email_alone(
    queues: Queues, connection: Redis, due: datetime, status: JobStatus
) -> None:
    queues.schedule([(EMAIL, due)], NOW)
    job = OwnJob.fetch(JOB_ID, connection=connection)
    assert (job.func_name, tuple(job.args), job.kwargs) == ("jobs.deliver.deliver_email", (str(EMAIL),), {})
    assert (job.origin, job.timeout, job.result_ttl, job.failure_ttl) == ("emails", 60, 0, 86_400)
    assert job.get_status() == status


def test_scheduling_is_one_step_and_one_round_trip(queues: Queues, connection: Redis) -> None:
    queues.schedule([(uuid4(), NOW)], NOW)
    before = connection.info("commandstats")["cmdstat_evalsha"]["calls"]
    queues.schedule([(uuid4(), NOW), *[(uuid4(), LATER)] * 4], NOW)
    assert connection.info("commandstats")["cmdstat_evalsha"]["calls"] == before + 1


CALLS = [
    deliver_job(EMAIL),
    deliver_job(EMAIL, "transactional"),
    repeat_job(EMAIL),
    recheck_job(),
    reconcile_job(),
    mirror_job(),
]


ANY_TIME = {b"created_at": b""}


def unpacked(written: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Return a hash of RQ's with its payload as ours has it: RQ packs it, and takes it either way."""
    return {**written, b"data": zlib.decompress(written[b"data"])}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.job_id}-{call.queue}")
def test_a_job_is_the_one_that_rq_writes(queues: Queues, connection: Redis, call: Call) -> None:
    queues.push([call])
    ours = connection.hgetall(Job.key_for(call.job_id))
    new_job(queue_at(call.queue, connection), call, JobStatus.QUEUED).save()
    theirs = connection.hgetall(Job.key_for(call.job_id))
    assert ours | ANY_TIME == unpacked(theirs) | ANY_TIME
    assert Job.fetch(call.job_id, connection, JSONSerializer).created_at.tzinfo is not None
    assert Queue.all(connection) == [Queue(call.queue, connection=connection)]


def test_a_job_on_the_clock_is_the_one_that_rq_scheduler_writes(queues: Queues, connection: Redis) -> None:
    call, more = deliver_job(EMAIL), {"timeout": 60, "job_result_ttl": 0, "queue_name": "emails"}
    queues.schedule([(EMAIL, LATER)], NOW)
    ours, at = connection.hgetall(Job.key_for(JOB_ID)), clock(connection)
    connection.flushdb()
    scheduler = Scheduler(connection=connection, job_class=OwnJob)
    scheduler.enqueue_at(LATER, call.function, *call.args, job_id=call.job_id, **more)
    # It cannot be told for how long a failure is kept; RQ can, and then writes this field.
    theirs = {**connection.hgetall(Job.key_for(JOB_ID)), b"failure_ttl": b"86400"}
    assert ours | ANY_TIME == unpacked(theirs) | ANY_TIME
    assert at == clock(connection)


def test_scheduling_again_moves_an_email(queues: Queues, connection: Redis) -> None:
    queues.schedule([(EMAIL, LATER)], NOW)
    queues.schedule([(EMAIL, LATER + timedelta(hours=1))], NOW)
    assert clock(connection) == {JOB_ID: LATER.timestamp() + 3600}
    queues.schedule([(EMAIL, LATER)], LATER)
    assert (waiting(connection), clock(connection)) == ([JOB_ID], {})


def test_a_job_that_failed_before_does_not_expire_while_it_waits(queues: Queues, connection: Redis) -> None:
    queues.schedule([(EMAIL, NOW)], NOW)
    connection.expire(Job.key_for(JOB_ID), 86_400)
    queues.schedule([(EMAIL, LATER)], NOW)
    assert connection.ttl(Job.key_for(JOB_ID)) == -1


def test_scheduling_nothing_is_done_at_once(away: Queues) -> None:
    assert away.schedule([], NOW)


def test_more_emails_than_one_trip_takes_are_all_scheduled(queues: Queues) -> None:
    ids = [uuid4() for _ in range(1001)]
    assert queues.schedule([(each, LATER) for each in ids], NOW)
    assert queues.scheduled(ids) == set(ids)


def test_without_redis_scheduling_says_so_and_raises_nothing(away: Queues) -> None:
    with capture_logs() as logs:
        assert not away.schedule([(EMAIL, NOW)], NOW)
    assert [(entry["event"], entry["emails"]) for entry in logs] == [("scheduling_failed", 1)]


def test_a_hanging_redis_costs_a_hook_half_a_second_once(redis_server: RedisServer) -> None:
    queues = Queues(redis_server.url, monotonic=lambda: 0.0)
    redis_server.pause()
    began = time.monotonic()
    assert not queues.schedule([(EMAIL, NOW)], NOW)
    assert time.monotonic() - began < patient(1.0)
    began = time.monotonic()
    assert not any(queues.schedule([(EMAIL, NOW)], NOW) for _ in range(100))
    assert time.monotonic() - began < patient(0.2)
    queues.close()


def test_five_seconds_after_a_failure_scheduling_is_tried_again(redis_server: RedisServer, connection: Redis) -> None:
    times = iter([0.0, 0.0, 4.9, 5.1])
    queues = Queues(redis_server.url, monotonic=lambda: next(times))
    redis_server.kill()
    assert not queues.schedule([(EMAIL, NOW)], NOW)
    redis_server.start()
    assert not queues.schedule([(EMAIL, NOW)], NOW)
    assert queues.schedule([(EMAIL, NOW)], NOW)
    assert waiting(connection) == [JOB_ID]
    queues.close()


def test_a_restart_of_redis_between_two_hooks_goes_unnoticed(redis_server: RedisServer, queues: Queues) -> None:
    assert queues.schedule([(EMAIL, LATER)], NOW)
    redis_server.kill()
    redis_server.start()
    assert queues.schedule([(EMAIL, LATER)], NOW)


def test_pushing_puts_a_job_on_its_queue_and_takes_it_off_the_clock(queues: Queues, connection: Redis) -> None:
    queues.schedule([(EMAIL, LATER)], NOW)
    assert queues.push([deliver_job(EMAIL), ("other-1", "jobs.other.run", ("a",), "other")]) == 2
    assert (waiting(connection), waiting(connection, "other"), clock(connection)) == ([JOB_ID], ["other-1"], {})
    assert Job.fetch("other-1", connection=connection, serializer=JSONSerializer).args == ["a"]


def test_what_waits_already_is_not_pushed_again(queues: Queues, connection: Redis) -> None:
    assert [queues.push([deliver_job(EMAIL), deliver_job(EMAIL)]), queues.push([deliver_job(EMAIL)])] == [1, 0]
    assert waiting(connection) == [JOB_ID]


def test_what_seems_to_run_is_pushed_again_since_its_worker_may_be_dead(queues: Queues, connection: Redis) -> None:
    running = Queue("emails", connection=connection).started_job_registry
    connection.zadd(running.key, {f"{JOB_ID}:0123456789abcdef": time.time() + 60})
    assert queues.push([deliver_job(EMAIL)]) == 1


def test_the_lists_are_read_once_for_all_jobs(queues: Queues, connection: Redis) -> None:
    queues.push([deliver_job(uuid4())])
    before = connection.info("commandstats")["cmdstat_lrange"]["calls"]
    assert queues.push([deliver_job(uuid4()) for _ in range(600)]) == 600
    assert connection.info("commandstats")["cmdstat_lrange"]["calls"] == before + 1


def test_repeats_and_the_recheck_have_one_job_each(queues: Queues, connection: Redis) -> None:
    assert queues.push([repeat_job(EMAIL), recheck_job(), recheck_job()]) == 2
    assert sorted(waiting(connection)) == ["recheck-held", f"request-{EMAIL}"]


def test_pushed_jobs_run_in_the_order_given(queues: Queues, connection: Redis) -> None:
    calls = [deliver_job(uuid4()) for _ in range(5)]
    queues.push(calls)
    assert waiting(connection) == [call.job_id for call in calls]


def test_unscheduling_takes_an_email_off_the_clock_and_the_queue_with_its_job(
    queues: Queues, connection: Redis
) -> None:
    other = uuid4()
    queues.schedule([(EMAIL, LATER), (other, NOW)], NOW)
    assert queues.scheduled([EMAIL, other]) == {EMAIL}
    assert queues.unschedule([EMAIL, other, uuid4()]) == 2
    assert (waiting(connection), clock(connection)) == ([], {})
    assert not connection.exists(Job.key_for(JOB_ID), Job.key_for(f"email-{other}"))


def test_each_kind_of_email_has_a_queue_of_its_own_and_is_unscheduled_there(queues: Queues, connection: Redis) -> None:
    queues.schedule([(EMAIL, NOW)], NOW, queue_of("transactional"))
    assert connection.lrange("rq:queue:transactional", 0, -1) == [JOB_ID.encode()]
    assert (queue_of("marketing"), queues.unschedule([EMAIL])) == ("emails", 1)
    assert connection.llen("rq:queue:transactional") == 0


def test_unscheduling_leaves_the_job_that_a_worker_has_taken(queues: Queues, connection: Redis) -> None:
    queues.schedule([(EMAIL, NOW)], NOW)
    connection.lpop("rq:queue:emails")
    assert queues.unschedule([EMAIL]) == 0
    assert connection.exists(Job.key_for(JOB_ID))


def test_asking_about_no_emails_is_no_fault(queues: Queues) -> None:
    assert (queues.scheduled([]), queues.unschedule([]), queues.push([])) == (set(), 0, 0)


def test_a_flush_takes_the_marker_with_the_clock(queues: Queues, redis_server: RedisServer) -> None:
    assert not queues.marked()
    queues.mark()
    assert queues.marked()
    redis_server.flush()
    assert not queues.marked()


def test_a_process_is_alive_while_its_beat_lasts(queues: Queues, connection: Redis) -> None:
    assert not queues.alive("worker")
    queues.send_heartbeat("worker", ttl_s=30)
    assert queues.alive("worker")
    assert 0 < connection.ttl("funnel:beat:worker") <= 30


def test_ping_tells_whether_redis_answers(queues: Queues, redis_server: RedisServer) -> None:
    assert queues.ping()
    redis_server.pause()
    assert not queues.ping()


CALLS: list[Callable[[Queues], object]] = [
    lambda queues: queues.push([deliver_job(EMAIL)]),
    lambda queues: queues.scheduled([EMAIL]),
    lambda queues: queues.unschedule([EMAIL]),
    lambda queues: queues.marked(),
    lambda queues: queues.mark(),
    lambda queues: queues.send_heartbeat("worker", 1),
    lambda queues: queues.alive("worker"),
]


@pytest.mark.parametrize("call", CALLS)
def test_without_redis_everything_but_scheduling_says_try_again(away: Queues, call: Callable[[Queues], object]) -> None:
    with pytest.raises(Unavailable) as error:
        call(away)
    assert error.value.provider == "redis"


def test_an_email_of_either_kind_that_waits_is_seen(queues: Queues) -> None:
    assert not queues.emails_wait()
    queues.push([mirror_job()])
    assert not queues.emails_wait(), "the mirror itself is no email"
    for queue in ("emails", "transactional"):
        queues.push([deliver_job(uuid4(), queue)])
        assert queues.emails_wait()
        queues.connection.delete(f"rq:queue:{queue}")


def test_a_lock_has_one_owner_until_it_is_given_up(queues: Queues) -> None:
    assert queues.own("mirror", "a", 30) and queues.own("mirror", "a", 30)
    assert not queues.own("mirror", "b", 30)
    queues.disown("mirror", "b")
    assert not queues.own("mirror", "b", 30)
    queues.disown("mirror", "a")
    assert queues.own("mirror", "b", 30)
