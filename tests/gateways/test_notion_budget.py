"""One budget for all processes: a refusal holds everybody, templates come before the mirror, Redis may be away."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from math import ceil

import pytest
from redis import Redis

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.notion.budget import KEY, NotionBudget, OwnBudget, SharedBudget
from funnel_app.gateways.redis.clients import fail_fast_client
from sandbox.redis_server import RedisServer, free_port
from tests.gateways.test_limits import redis_time
from tests.gateways.test_notion import Time

RATE = 3.0


@pytest.fixture(params=["own", "shared"])
def budget(request: pytest.FixtureRequest) -> Iterator[OwnBudget | SharedBudget]:
    """The budget in memory and in Redis keep the same rules."""
    if request.param == "own":
        yield OwnBudget(RATE)
    else:
        yield SharedBudget(request.getfixturevalue("connection"), RATE)


def taken(budget: OwnBudget | SharedBudget, *, low: bool = False) -> float:
    return budget.take(low=low).seconds


def test_a_window_holds_its_budget_and_says_when_the_next_begins(budget):
    assert [taken(budget) for _ in range(3)] == [0, 0, 0]
    assert 0.5 < taken(budget) <= 1


def test_the_mirror_has_the_whole_budget_while_nobody_else_wants_it(budget):
    assert [taken(budget, low=True) for _ in range(3)] == [0, 0, 0]
    assert taken(budget, low=True) > 0


def test_a_refusal_holds_everybody_and_those_that_come_together_count_once(budget):
    budget.refused(20)
    budget.refused(30)
    assert 25 < taken(budget) <= 30 and 25 < taken(budget, low=True) <= 30


def test_a_refusal_that_names_no_time_is_over_soon(budget):
    budget.refused(0)
    assert taken(budget) == 0
    assert taken(budget) > 0, "the budget is half of three now"


def test_an_outage_holds_everybody_for_longer_each_time_and_an_answer_ends_it(budget):
    budget.away()
    budget.away()
    turn = budget.take(low=False)
    assert 1 < turn.seconds <= 2 and turn.outage == 1
    budget.well()
    assert budget.take(low=False).outage == 0


def test_who_is_not_low_comes_first_once_it_had_to_wait():
    time = Time()
    budget = OwnBudget(RATE, time.now)
    for _ in range(3):
        taken(budget, low=True)
    wait = taken(budget)
    time.sleep(wait)
    assert taken(budget, low=True) > 0, "the window is new, but a template waits"
    assert taken(budget) == 0
    assert taken(budget, low=True) == 0


def test_who_is_not_low_comes_first_in_redis_too(connection: Redis):
    budget = SharedBudget(connection, RATE)
    for _ in range(3):
        taken(budget)
    taken(budget)
    connection.hset(KEY, "began", 0)
    assert taken(budget, low=True) > 0
    assert taken(budget) == 0 and taken(budget, low=True) == 0


def test_calm_gives_the_budget_back_step_by_step_and_never_more(connection: Redis):
    time = Time()
    own = OwnBudget(RATE, time.now)
    own.refused(0)
    for _ in range(20):
        time.sleep(11)
        taken(own)
    time.sleep(1)
    assert [taken(own) == 0 for _ in range(4)] == [True, True, True, False]
    shared = SharedBudget(connection, RATE)
    shared.refused(0)
    for _ in range(20):
        connection.hset(KEY, mapping={"changed": 0, "began": 0})
        taken(shared)
    assert float(connection.hget(KEY, "rate") or 0) == RATE


def test_the_slowest_budget_is_a_call_in_two_seconds(budget):
    for _ in range(12):
        budget.refused(0)
    assert taken(budget) == 0
    assert 1.5 < taken(budget) <= 2


def test_eight_threads_share_one_budget(redis_server: RedisServer, connection: Redis):
    def take(_: int) -> int:
        with Redis.from_url(redis_server.url) as own:
            budget = SharedBudget(own, 50)
            return sum(taken(budget) == 0 for _ in range(20))

    began = redis_time(connection)
    with ThreadPoolExecutor(8) as threads:
        taken_by_all = sum(threads.map(take, range(8)))
    # 160 calls take far less than a second: one window, or the edge of a second one.
    assert 50 <= taken_by_all <= 50 * (1 + ceil(redis_time(connection) - began))


def test_a_caller_waits_for_its_turn():
    time = Time()
    budget = NotionBudget(None, RATE, now=time.now, sleep=time.sleep)
    for _ in range(7):
        budget.wait(low=False, patience_s=3)
    assert time.waits == [1.0, 1.0]


def test_a_turn_beyond_the_patience_is_unavailable_and_says_when():
    time = Time()
    budget = NotionBudget(None, RATE, now=time.now, sleep=time.sleep)
    budget.refused(40)
    with pytest.raises(Unavailable, match="its rate is used up; free again in 40 s") as told:
        budget.wait(low=False, patience_s=3)
    assert (told.value.retry_after, time.waits) == (40, [])


def test_nobody_waits_for_a_notion_that_is_away():
    time = Time()
    budget = NotionBudget(None, RATE, now=time.now, sleep=time.sleep)
    budget.away()
    with pytest.raises(Unavailable, match="it gave no proper answer, and is asked again in 2 s"):
        budget.wait(low=False, patience_s=3)
    time.sleep(2)
    assert budget.wait(low=False, patience_s=3) == 1
    budget.well()
    assert budget.wait(low=False, patience_s=3) == 0


def test_without_redis_each_process_keeps_the_rate_by_itself():
    time = Time()
    with fail_fast_client(f"redis://127.0.0.1:{free_port()}/0") as away:
        budget = NotionBudget(away, RATE, now=time.now, sleep=time.sleep)
        for _ in range(4):
            budget.wait(low=True, patience_s=3)
        budget.refused(None)
        assert time.waits == [1.0]
        with pytest.raises(Unavailable):
            budget.wait(low=True, patience_s=0.5)


def test_redis_that_comes_back_is_asked_again(redis_server: RedisServer):
    time = Time()
    with fail_fast_client(redis_server.url) as client:
        budget = NotionBudget(client, RATE, now=time.now, sleep=time.sleep)
        redis_server.kill()
        budget.wait(low=False, patience_s=3)
        redis_server.start()
        time.sleep(6)
        budget.wait(low=False, patience_s=3)
        assert client.exists(KEY)
