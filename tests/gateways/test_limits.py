"""All workers together keep the provider's rate, and pause as one."""

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from redis import Redis

from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.clients import blocking_client
from funnel_app.gateways.redis.rate_limiter import SendingPause, SendingRate
from sandbox.redis_server import RedisServer, free_port

START = 1_800_000_000.0


class Clock:
    """A time that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pause(connection: Redis, clock: Clock) -> SendingPause:
    return SendingPause(connection, now=clock)


def redis_time(connection: Redis) -> float:
    seconds, microseconds = connection.time()
    return float(seconds) + float(microseconds) / 1_000_000


def test_eight_threads_never_exceed_the_rate(redis_server: RedisServer, connection: Redis) -> None:
    per_second, asked_each = 200.0, 400

    def worker(_: int) -> int:
        with Redis.from_url(redis_server.url) as own:
            rate = SendingRate(own, rate_per_second=per_second, share=1.0)
            return sum(rate.wait(uuid4()) == 0 for _ in range(asked_each))

    began = redis_time(connection)
    with ThreadPoolExecutor(8) as workers:
        taken = sum(workers.map(worker, range(8)))
    elapsed = redis_time(connection) - began
    assert 1 <= taken <= elapsed * per_second + 1


def test_the_rate_is_our_share_of_what_is_allowed_and_never_nothing(connection: Redis) -> None:
    rate = SendingRate(connection, rate_per_second=2, share=0.8)
    assert rate.per_second() == pytest.approx(1.6)
    rate.learn(10)
    assert rate.per_second() == pytest.approx(8.0)
    assert SendingRate(connection, rate_per_second=0.1, share=0.1).learn(0.1) is None
    assert SendingRate(connection, rate_per_second=0.1, share=0.1).per_second() == pytest.approx(0.2)


def test_a_slot_is_taken_only_when_it_is_due(connection: Redis) -> None:
    rate = SendingRate(connection, rate_per_second=0.25, share=0.8)
    assert rate.peek() == 0
    assert rate.wait(uuid4()) == 0
    waits = [rate.wait(uuid4()), rate.wait(uuid4()), rate.peek()]
    assert all(0 < wait <= 5 for wait in waits)
    assert waits == sorted(waits, reverse=True)


def test_no_more_calls_than_the_team_may_make_are_in_the_air_or_just_answered(connection: Redis) -> None:
    """However long a call takes on its way, the provider never counts more than it allows within a second."""
    rate = SendingRate(connection, rate_per_second=2, share=100)
    callers = [uuid4() for _ in range(3)]
    connection.delete(SendingRate.KEY)
    waits = []
    for caller in callers:
        waits.append(rate.wait(caller))
        connection.delete(SendingRate.KEY)
    assert waits[:2] == [0, 0] and 0 < waits[2] <= 0.05, "both are still under way: it is asked again soon"
    began = redis_time(connection)
    rate.answered(callers[0])
    wait = rate.wait(callers[2])
    assert 1 - (redis_time(connection) - began) <= wait <= 1, "a second after the first answer"
    connection.delete(SendingRate.CALLS_KEY)
    assert rate.wait(callers[2]) == 0


def test_a_caller_that_died_in_its_call_keeps_the_others_waiting_for_nine_seconds_at_most(connection: Redis) -> None:
    rate = SendingRate(connection, rate_per_second=1, share=1)
    began = redis_time(connection)
    assert rate.wait(uuid4()) == 0
    left_s = connection.pttl(SendingRate.CALLS_KEY) / 1000
    assert 10 - (redis_time(connection) - began) - 0.001 <= left_s <= 10
    rate.answered(uuid4())
    assert connection.zcard(SendingRate.CALLS_KEY) == 1, "a caller without a turn changes nothing"


def test_peeking_takes_no_slot(connection: Redis) -> None:
    rate = SendingRate(connection, rate_per_second=1, share=1)
    assert [rate.peek(), rate.peek(), rate.wait(uuid4())] == [0, 0, 0]


@pytest.mark.parametrize(
    ("learned", "share", "interval"),
    [(10.0, 0.8, 1 / 8), (0.01, 0.8, 5.0), (0.0, 0.5, 1.0), (-1.0, 0.5, 1.0)],
)
def test_all_workers_follow_the_rate_that_the_provider_says(
    connection: Redis, learned: float, share: float, interval: float
) -> None:
    """The share is taken from it, it never falls below one call in 5 s, and a senseless one is passed over."""
    first, second = (SendingRate(connection, rate_per_second=2, share=share) for _ in range(2))
    first.learn(learned)
    began = redis_time(connection)
    second.wait(uuid4())
    slot = int(connection.get(SendingRate.KEY) or 0) / 1_000_000
    assert began + interval <= slot <= redis_time(connection) + interval
    before = redis_time(connection)
    seen = first.peek()
    assert max(0, slot - redis_time(connection)) <= seen <= max(0, slot - before)


def test_a_learned_rate_is_forgotten_after_an_hour(connection: Redis) -> None:
    SendingRate(connection, rate_per_second=2, share=1).learn(10)
    assert 3590 < connection.ttl(SendingRate.LEARNED_KEY) <= 3600


def test_there_is_no_pause_until_one_is_made(pause: SendingPause) -> None:
    assert pause.current() is None
    assert pause.may_probe()


def test_a_pause_says_why_and_until_when(pause: SendingPause) -> None:
    pause.pause("The daily quota is used up.", 3600, "quota")
    found = pause.current()
    assert found is not None
    assert (found.kind, found.reason) == ("quota", "The daily quota is used up.")
    assert found.until == datetime.fromtimestamp(START + 3600, UTC)


def test_the_longest_pause_wins(pause: SendingPause) -> None:
    pause.pause("quota", 3600, "quota")
    pause.pause("rate", 1, "rate")
    assert pause.back_off("outage", "outage") == 3600
    found = pause.current()
    assert found is not None and found.kind == "quota"
    pause.pause("month", 7200, "quota")
    assert pause.current().until == datetime.fromtimestamp(START + 7200, UTC)  # type: ignore[union-attr]


def test_the_current_pause_costs_one_round_trip(pause: SendingPause, connection: Redis) -> None:
    pause.pause("quota", 3600, "quota")
    before = connection.info("commandstats")
    pause.current()
    after = connection.info("commandstats")
    calls = Counter({name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"] for name in after})
    assert +calls == Counter({"cmdstat_hgetall": 1, "cmdstat_info": 1})


def test_when_the_time_is_up_exactly_one_caller_in_thirty_seconds_may_probe(
    redis_server: RedisServer, pause: SendingPause, clock: Clock
) -> None:
    pause.pause("The key is not valid.", 15, "config")
    assert not pause.may_probe()
    clock.time += 15
    with blocking_client(redis_server.url) as shared, ThreadPoolExecutor(8) as workers:
        others = SendingPause(shared, now=clock)
        assert sum(workers.map(lambda _: others.may_probe(), range(40))) == 1
    clock.time += 29
    assert not pause.may_probe()
    clock.time += 1
    assert pause.may_probe()
    assert pause.current() is not None, "it stands until something was sent"


def test_a_failed_probe_leaves_the_next_one_free_as_soon_as_the_new_pause_is_over(
    pause: SendingPause, clock: Clock
) -> None:
    clock.time += pause.back_off("down", "outage") + 0.001
    assert pause.may_probe()
    clock.time += pause.back_off("still down", "outage") + 0.001
    assert pause.may_probe()


def test_a_probe_that_had_nothing_to_try_with_is_free_again(pause: SendingPause, clock: Clock) -> None:
    clock.time += pause.back_off("down", "outage") + 0.001
    assert pause.may_probe() and not pause.may_probe()
    pause.leave_probe()
    assert pause.may_probe()
    pause.clear()
    pause.leave_probe()
    assert pause.current() is None


def delays(pause: SendingPause, clock: Clock, kind: str, times: int) -> list[float]:
    found = []
    for _ in range(times):
        found.append(pause.back_off("down", kind))
        clock.time += found[-1] + 0.001
    return found


def test_an_outage_pauses_for_one_to_two_seconds_and_doubles_to_a_minute(pause: SendingPause, clock: Clock) -> None:
    found = delays(pause, clock, "outage", 9)
    for level, delay in enumerate(found):
        assert min(2**level, 60) - 0.01 <= delay <= min(2 ** (level + 1), 60) + 0.01
    assert found[-1] == pytest.approx(60, abs=0.01)


def test_a_config_fault_pauses_for_fifteen_seconds_and_doubles_to_five_minutes(
    pause: SendingPause, clock: Clock
) -> None:
    assert delays(pause, clock, "config", 7) == pytest.approx([15, 30, 60, 120, 240, 300, 300], abs=0.01)


def test_workers_that_fail_together_back_off_once(pause: SendingPause, clock: Clock) -> None:
    first = pause.back_off("down", "outage")
    assert [pause.back_off("down", "outage") for _ in range(5)] == [pytest.approx(first)] * 5
    clock.time += first + 0.001
    assert pause.back_off("down", "outage") <= 4.01


def test_success_ends_the_pause_and_its_backoff(pause: SendingPause, clock: Clock) -> None:
    delays(pause, clock, "config", 3)
    pause.clear()
    assert pause.current() is None
    assert pause.back_off("again", "config") == pytest.approx(15)


def test_another_kind_of_trouble_begins_its_own_backoff(pause: SendingPause, clock: Clock) -> None:
    delays(pause, clock, "outage", 4)
    assert pause.back_off("bad key", "config") == pytest.approx(15)
    clock.time += 16
    assert pause.back_off("bad key", "config") == pytest.approx(30)


def test_the_pause_is_remembered_longer_than_it_lasts(pause: SendingPause, connection: Redis) -> None:
    pause.back_off("down", "config")
    assert connection.ttl(SendingPause.KEY) > 15 + 300
    pause.pause("quota", 86_400, "quota")
    assert connection.ttl(SendingPause.KEY) > 86_400


def test_without_redis_both_say_try_again() -> None:
    with blocking_client(f"redis://127.0.0.1:{free_port()}/0") as away:
        rate, pause = SendingRate(away, rate_per_second=2, share=1), SendingPause(away)
        calls = [
            lambda: rate.wait(uuid4()),
            rate.peek,
            lambda: rate.learn(3),
            pause.current,
            pause.may_probe,
            pause.clear,
        ]
        calls.append(pause.leave_probe)
        for call in itertools.chain(calls, [lambda: pause.back_off("?", "outage"), lambda: pause.pause("?", 1, "x")]):
            with pytest.raises(Unavailable):
                call()


def test_a_pause_for_the_clock_outlasts_what_was_sent_and_is_lifted_by_who_knows_the_time(connection: Redis) -> None:
    pause = SendingPause(connection)
    pause.pause("the clock jumped", 60, "clock")
    pause.clear()
    standing = pause.current()
    assert standing is not None and standing.kind == "clock"
    assert pause.back_off("503", "outage") > 0
    pause.lift()
    assert pause.current() is None
