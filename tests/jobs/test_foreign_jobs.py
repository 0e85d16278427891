"""Whoever writes to Redis runs no code: a worker, the clock and the queues read our own jobs, and nothing else."""

import json
import os
import pickle
import zlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from redis import Redis
from rq.job import Job
from rq.registry import FailedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer
from structlog.testing import capture_logs

import jobs.worker
from funnel_app.gateways.redis.job_clock import Clock
from funnel_app.gateways.redis.job_names import DELIVER, QUEUES
from funnel_app.gateways.redis.own_jobs import UNREADABLE_KEY, queue_at
from funnel_app.gateways.redis.process_status import ProcessStatus
from funnel_app.gateways.redis.queue import CLOCK_KEY, Queues, deliver_job

EMAIL = "01900000-0000-7000-8000-00000000000a"
ID = f"email-{EMAIL}"
CALLBACKS = ("success_callback_name", "failure_callback_name", "stopped_callback_name")


class Bomb:
    """Whoever unpickles this makes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.fixture
def connection(redis_server):
    with Redis.from_url(redis_server.url) as client:
        yield client


@pytest.fixture
def delivered(monkeypatch, deps, redis_server):
    """The arguments that the job which sends an email was called with."""
    calls: list[str] = []
    monkeypatch.setattr("jobs.deliver.deliver_email", calls.append)
    queues = Queues(redis_server.url)
    object.__setattr__(deps, "queues", queues)
    monkeypatch.setattr("jobs.worker.deps", lambda: deps)
    yield calls
    queues.close()


def payload(function, *args, instance=None, **kwargs) -> bytes:
    return zlib.compress(json.dumps([function, instance, args, kwargs]).encode())


def plant(connection: Redis, job_id: str = ID, **fields) -> None:
    """Write a job onto the queue as a stranger may who can write to Redis."""
    whole = {"created_at": "2026-11-24T12:00:00.000000Z", "origin": "emails", "status": "queued", **fields}
    connection.hset(f"rq:job:{job_id}", mapping=whole)
    connection.rpush("rq:queue:emails", job_id)


def work(connection: Redis) -> None:
    queues = [queue_at(name, connection) for name in QUEUES]
    jobs.worker.Worker(queues, connection=connection, serializer=JSONSerializer).work(burst=True)


def set_aside(connection: Redis) -> list[str]:
    return [job_id.decode() for job_id in connection.zrange(UNREADABLE_KEY, 0, -1)]


OURS = payload(DELIVER, EMAIL)
FOREIGN = {
    "another function": (ID, {"data": payload("os.system", "true")}),
    "a function of ours that its id does not name": (ID, {"data": payload("jobs.mirror.write_mirror", EMAIL)}),
    "another function under an id of nobody": (str(uuid4()), {"data": payload("os.mkdir", "/tmp/never")}),
    "our function under an id of nobody": (str(uuid4()), {"data": OURS}),
    "another email than its id names": (ID, {"data": payload(DELIVER, str(uuid4()))}),
    "more arguments": (ID, {"data": payload(DELIVER, EMAIL, "more")}),
    "an argument by name": (ID, {"data": payload(DELIVER, EMAIL, extra=1)}),
    "a method of a thing": (ID, {"data": payload("format", EMAIL, instance="{}")}),
    "a queue of nobody": (ID, {"data": OURS, "origin": "elsewhere"}),
    "an id that only looks like ours": (f"email-{EMAIL.upper()}", {"data": payload(DELIVER, EMAIL.upper())}),
    "no payload at all": (ID, {"origin": "emails"}),
    "no JSON": (ID, {"data": b"{"}),
    "JSON of another shape": (ID, {"data": b'{"a": 1}'}),
    "a payload that unpacks without end": (ID, {"data": zlib.compress(b" " * 5_000_000)}),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_a_job_that_is_not_ours_is_set_aside_told_and_stops_no_other(connection, redis_server, delivered, case):
    job_id, fields = FOREIGN[case]
    plant(connection, job_id, **fields)
    other = deliver_job(uuid4())
    queues = Queues(redis_server.url)
    queues.push([other])
    with capture_logs() as logs:
        work(connection)
    assert delivered == [*other.args]
    told = [(line["event"], line["job_id"]) for line in logs if line["log_level"] == "error"]
    if case == "no payload at all":  # RQ takes it for a job that is gone, and so it is
        assert (told, set_aside(connection)) == ([], [])
        return
    assert (told, set_aside(connection)) == ([("job_set_aside", repr(job_id.encode()))], [job_id])
    assert 0 < connection.ttl(f"rq:job:{job_id}") <= 86_400, "it can be looked at for a day"
    status = ProcessStatus(redis_server.url)
    assert (status.depths().unreadable, status.depths().failed) == (1, 0)
    status.close()
    queues.close()


@pytest.mark.parametrize("case", [case for case in FOREIGN if case != "a queue of nobody"])
def test_the_clock_moves_no_job_that_is_not_ours(connection, delivered, case):
    job_id, fields = FOREIGN[case]
    plant(connection, job_id, **fields)
    connection.delete("rq:queue:emails")
    connection.zadd(CLOCK_KEY, {job_id: 1})
    assert Clock(connection).tick(2.0) == 0
    assert (set_aside(connection), connection.zcard(CLOCK_KEY)) == ([job_id], 0)


def test_an_id_that_is_no_text_stops_no_worker(connection, delivered):
    """RQ decodes it and dies: in a queue once, in a registry at each start."""
    connection.rpush("rq:queue:emails", b"\xff\xfe")
    connection.zadd("rq:wip:emails", {b"\xff:\xfe": 1})
    plant(connection, data=OURS)
    with capture_logs() as logs:
        work(connection)
    assert delivered == [EMAIL] and connection.zrange(UNREADABLE_KEY, 0, -1) == [b"\xff\xfe"]
    assert {"job_set_aside", "registry_not_cleaned"} <= {line["event"] for line in logs}


def test_nothing_in_a_job_is_unpickled_or_called_but_our_function(connection, delivered, tmp_path):
    """A pickle in every field and in every registry, dotted names as callbacks, a web address, a dependent job."""
    there = list(tmp_path.iterdir())
    hits = [str(tmp_path / name) for name in ("data", "meta", "result")]
    bombs = {name: pickle.dumps(Bomb(hit)) for name, hit in zip(("data", "meta", "result"), hits, strict=True)}
    names = dict.fromkeys(CALLBACKS, "tests.jobs.test_foreign_jobs.never")
    webhooks = json.dumps([{"url": "http://127.0.0.1:9/", "statuses": ["finished", "failed"]}])
    more = {"webhooks": webhooks, "retries_left": 9, "repeats_left": 9, "dependency_ids": '["x"]'}
    plant(connection, **{**bombs, **names, **more})
    plant(connection, job_id="reconcile", **{**bombs, **names, "data": payload("jobs.reconcile.never")})
    plant(connection, job_id="child", **bombs)
    connection.sadd(f"rq:job:{ID}:dependents", "child")
    for registry in ("wip", "failed", "finished", "deferred", "scheduled", "canceled"):
        connection.zadd(f"rq:{registry}:emails", {"child": 1, ID: 1, "child:execution": 1})
    work(connection)
    assert delivered == [EMAIL]
    assert list(tmp_path.iterdir()) == there


def never(*_) -> None:
    raise AssertionError("a callback was called")


def test_a_job_that_the_release_before_pickled_is_neither_lost_nor_read(connection, delivered, redis_server):
    """It goes by what its id says, from the queue and from the clock; the ledger knows whether it is still wanted."""
    old = pickle.dumps((DELIVER, None, (EMAIL,), {}), protocol=pickle.HIGHEST_PROTOCOL)
    plant(connection, data=zlib.compress(old), timeout=60, result_ttl=0, failure_ttl=86_400)
    later = f"email-{uuid4()}"
    connection.hset(f"rq:job:{later}", mapping={"data": zlib.compress(old), "origin": "emails", "status": "scheduled"})
    connection.zadd(CLOCK_KEY, {later: 1})
    assert Clock(connection).tick(2.0) == 1
    assert json.loads(connection.hget(f"rq:job:{later}", "data"))[0] == DELIVER
    work(connection)
    assert delivered == [EMAIL, later.removeprefix("email-")]
    assert set_aside(connection) == []


def test_a_job_has_the_time_that_we_give_and_not_what_its_hash_says(connection, delivered):
    plant(connection, data=OURS, timeout="-1", result_ttl="-1", failure_ttl="-1")
    (job,) = queue_at("emails", connection).jobs
    assert (job.timeout, job.result_ttl, job.failure_ttl) == (60, 0, 86_400)


def test_what_we_queue_is_data(connection, redis_server):
    queues = Queues(redis_server.url)
    now = datetime.now(UTC)
    ids = uuid4(), uuid4()
    queues.schedule([(ids[0], now), (ids[1], now + timedelta(days=1))], now)
    for each in ids:
        stored = connection.hget(Job.key_for(f"email-{each}"), "data")
        assert json.loads(stored) == [DELIVER, None, [str(each)], {}]
    queues.close()


def test_no_more_are_noted_than_anybody_reads(connection, delivered, monkeypatch):
    monkeypatch.setattr("funnel_app.gateways.redis.own_jobs.MOST_SET_ASIDE", 3)
    connection.zadd(UNREADABLE_KEY, {"of yesterday": 1})
    for number in range(5):
        plant(connection, f"junk{number}", data=OURS)
    work(connection)
    assert set_aside(connection) == ["junk2", "junk3", "junk4"]
    queue = queue_at("emails", connection)
    assert FailedJobRegistry(queue=queue).count == 0 == StartedJobRegistry(queue=queue).count
