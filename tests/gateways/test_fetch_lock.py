"""One of all workers and processes reads a template, at most once a minute, and all hear what went wrong."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.fetch_lock import ASK_AGAIN_AFTER_S, ONCE_IN_S, FetchLock


@pytest.fixture
def fetch_lock(connection):
    return FetchLock(connection)


def test_of_many_who_claim_a_key_one_wins_for_a_minute(fetch_lock, connection):
    keys = [f"email_{number}" for number in range(5)] * 16
    with ThreadPoolExecutor(8) as callers:
        won = [key for key, mine in zip(keys, callers.map(fetch_lock.claim, keys), strict=True) if mine]
    assert sorted(won) == sorted(set(keys))
    assert ONCE_IN_S - 5 < connection.ttl(FetchLock.CLAIM + "email_0") <= ONCE_IN_S == 60


def test_a_reading_that_failed_is_told_for_half_a_minute_and_may_then_be_tried_again(fetch_lock, connection):
    fetch_lock.claim("email_1")
    fetch_lock.give_up("email_1", "notion: 404", everywhere=False)
    assert (fetch_lock.fault("email_1"), fetch_lock.fault("email_2")) == ("notion: 404", None)
    assert connection.ttl(FetchLock.FAULT + "email_1") <= ASK_AGAIN_AFTER_S == 30
    assert fetch_lock.claim("email_1")


def test_a_notion_that_is_away_is_told_for_every_key(fetch_lock):
    fetch_lock.give_up("email_1", "notion: 503 über", everywhere=True)
    assert fetch_lock.fault("email_2") == "notion: 503 über"


def test_without_redis_it_says_so(fetch_lock, redis_server):
    redis_server.kill()
    for call in (lambda: fetch_lock.claim("k"), lambda: fetch_lock.fault("k")):
        with pytest.raises(Unavailable):
            call()
