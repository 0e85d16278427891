"""The worker's sign: a Redis that forgot hears of a living worker again, and not of one that hangs."""

import pytest

from funnel_app.gateways.errors import Unavailable
from jobs import sign
from jobs.sign import Sign


@pytest.fixture
def time(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(sign.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def heard(deps, monkeypatch):
    heard = []
    monkeypatch.setattr(
        deps.queues, "send_heartbeat", lambda *given, age_s: heard.append((*given, age_s)), raising=False
    )
    return heard


def test_the_last_round_is_told_again_with_its_age(deps, time, heard):
    worker = Sign(lambda: "host:1")
    worker.renew(deps)
    assert heard == [], "a worker that never came to its work is not heard of"
    worker.give(deps)
    time[0] += 20
    worker.renew(deps)
    assert heard == [("worker", 60, "host:1", 0.0), ("worker", 40, "host:1", 20.0)]


def test_a_loop_that_hangs_is_not_told_again(deps, time, heard):
    worker = Sign(lambda: "host:1")
    worker.give(deps)
    time[0] += 61
    worker.renew(deps)
    assert len(heard) == 1


def test_a_worker_that_waited_for_redis_is_heard_of_as_soon_as_it_is_back(deps, time, heard):
    def away(*given, age_s):
        raise Unavailable("redis", "gone")

    worker = Sign(lambda: "host:1")
    worker.give(deps)
    hears, deps.queues.send_heartbeat = deps.queues.send_heartbeat, away
    for _ in range(20):
        time[0] += 5
        worker.renew(deps)
    deps.queues.send_heartbeat = hears
    time[0] += 5
    worker.renew(deps)
    assert heard[-1] == ("worker", 55, "host:1", 5.0)
