"""Process status, on a real Redis: who was heard of and when, what waits, and how Redis is set up."""

import time
from datetime import UTC, datetime

import pytest
from redis.exceptions import ResponseError
from rq.queue import Queue
from rq.registry import FailedJobRegistry

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.own_jobs import UNREADABLE_KEY
from funnel_app.gateways.redis.process_status import EXAMINED_KEY, UNAUTHENTICATED_KEY, Depths, ProcessStatus
from funnel_app.gateways.redis.queue import SEEN_KEY


@pytest.fixture
def process_status(redis_server):
    built = ProcessStatus(redis_server.url)
    yield built
    built.close()


def test_signs_tell_when_each_process_was_heard_of(process_status, queues, connection):
    queues.send_heartbeat("scheduler", 30)
    queues.send_heartbeat("worker", 60, "abc")
    connection.hset(SEEN_KEY, "worker:gone", time.time() - 100_000)
    seen = process_status.seen()
    assert set(seen) == {"scheduler", "worker:abc"}
    assert abs((datetime.now(UTC) - seen["scheduler"]).total_seconds()) < 5
    assert not connection.hexists(SEEN_KEY, "worker:gone"), "yesterday's are forgotten"
    assert queues.alive("scheduler") and queues.alive("worker") and not queues.alive("other")


def test_what_waits_is_counted(process_status, connection):
    queue = Queue("emails", connection=connection)
    job = queue.enqueue("jobs.recheck.recheck_held")
    FailedJobRegistry(queue=queue).add(job, ttl=60)
    connection.zadd(UNREADABLE_KEY, {"broken": time.time(), "of long ago": 1})
    connection.zadd("rq:scheduler:scheduled_jobs", {"a": 1, "b": 2})
    queues = {"transactional": 0, "emails": 1, "mirror": 0}
    assert process_status.depths() == Depths(queues=queues, clock=2, failed=1, unreadable=1)


def test_how_redis_is_set_up_is_told(process_status, connection, monkeypatch):
    facts = process_status.facts()
    assert (facts.policy, facts.keeps) == ("noeviction", False) and facts.version[0].isdigit()
    connection.config_set("save", "60 1")
    assert process_status.facts().keeps is True

    def forbidden(*_):
        raise ResponseError("unknown command CONFIG")

    connection.config_set("save", "")
    monkeypatch.setattr(process_status._redis, "config_get", forbidden)
    assert process_status.facts().keeps is None


def test_calls_without_a_proof_are_counted_by_hook_and_never_without_end(process_status, connection, monkeypatch):
    for hook in ("christmas/signup", "christmas/signup", "resend"):
        process_status.note_unauthenticated(hook)
    connection.zadd(UNAUTHENTICATED_KEY, {"christmas/signup of-yesterday": time.time() - 90_000})
    assert process_status.unauthenticated(3600) == {"christmas/signup": 2, "resend": 1}
    monkeypatch.setattr("funnel_app.gateways.redis.process_status.MOST_UNAUTHENTICATED", 2)
    process_status.note_unauthenticated("resend")
    assert sum(process_status.unauthenticated(3600).values()) == 2
    assert connection.ttl(UNAUTHENTICATED_KEY) > 3600


def test_what_the_doctor_found_is_kept_for_a_day(process_status, connection):
    assert process_status.examined() is None
    process_status.keep_examined('{"found": "ü"}')
    assert process_status.examined() == '{"found": "ü"}'
    assert 86_000 < connection.ttl(EXAMINED_KEY) <= 86_400


def test_redis_away_is_told_at_once(redis_server, process_status):
    redis_server.pause()
    for ask in (process_status.seen, process_status.facts, process_status.depths):
        with pytest.raises(Unavailable):
            ask()
