"""What ends between the emails of a sequence, parts by kill -9 and Redis by FLUSHALL: nothing is lost or goes twice."""

from collections import Counter
from urllib.error import URLError

import pytest
from redis import Redis

from sandbox.stack import running_stack
from tests.process.crash import POINTS
from tests.process.one_lead import gets_five_emails, states_of, stop_with_0
from tests.process.starting import start_funnel
from tests.process.watching import emails, inbox, opt_in, wait_until

pytestmark = pytest.mark.process(lasts_s=20)
ANA, BEA = "delivered+ana@resend.dev", "delivered+bea@resend.dev"
WHOLE = ["lead.enrolled", *["email.delivered"] * 5, "sequence.ended"]


@pytest.fixture(scope="module")
def funnel():
    """A Funnel in which every email but the first of a sequence is five seconds away. All parts run between tests."""
    with running_stack(5) as stack:
        start_funnel(stack)
        yield stack


def test_a_signup_becomes_five_delivered_emails(funnel):
    gets_five_emails(funnel)


def start_victim(funnel, point):
    marker = funnel.processes.folder / f"died {point}"
    funnel.processes.start(point, "-m", "tests.process.crash", point, str(marker))
    return marker


def dies(funnel, point):
    wait_until(f"the process that dies {point} does", lambda: funnel.processes.running[point].poll() is not None)
    assert funnel.processes.running.pop(point).returncode == -9


def all_delivered(funnel, who, many):
    """The condition that these leads have five delivered emails each, and no others."""

    def met():
        found = Counter(row["state"] for row in emails(funnel) if f"+{who}" in row["address"])
        return found == {"delivered": 5 * many}

    return met


def nothing_twice(funnel, who):
    return [count for (address, _), count in inbox(funnel).items() if f"+{who}" in address and count != 1] == []


def test_a_web_process_that_dies_leaves_a_committed_hook_or_none(funnel):
    points = [point for point, what in POINTS.items() if what.process == "web"]
    funnel.processes.kill("web")
    for number, point in enumerate(points):
        marker = start_victim(funnel, point)
        funnel.wait_until_ready()
        address = f"delivered+web{number}@resend.dev"
        with pytest.raises((URLError, OSError)):
            opt_in(funnel, address)
        assert marker.exists()
        assert opt_in(funnel, address)["status"] == "duplicate", "what was committed is there for the caller's retry"
        funnel.processes.kill(point)
    funnel.processes.start("web")
    funnel.wait_until_ready()
    wait_until("every email of both leads is delivered", all_delivered(funnel, "web", len(points)), within_s=60)
    assert nothing_twice(funnel, "web")


def test_a_worker_that_dies_anywhere_loses_nothing_and_repeats_nothing(funnel):
    points = [point for point, what in POINTS.items() if what.process == "worker"]
    funnel.processes.kill("worker")
    for number, point in enumerate(points):
        start_victim(funnel, point)
        opt_in(funnel, f"delivered+worker{number}@resend.dev")
        dies(funnel, point)
    funnel.processes.start("worker")
    wait_until("every email is delivered", all_delivered(funnel, "worker", len(points)), within_s=120)
    assert nothing_twice(funnel, "worker")


def test_a_scheduler_that_dies_anywhere_loses_nothing_and_repeats_nothing(funnel):
    points = [point for point, what in POINTS.items() if what.process == "scheduler"]
    funnel.processes.kill("scheduler")
    for number, point in enumerate(points):
        opt_in(funnel, f"delivered+scheduler{number}@resend.dev")
        start_victim(funnel, point)
        dies(funnel, point)
    funnel.processes.start("scheduler")
    wait_until("every email is delivered", all_delivered(funnel, "scheduler", len(points)), within_s=90)
    assert nothing_twice(funnel, "scheduler")
    wait_until("the CRM is told that every lead's sequence is over", lambda: told(funnel, "scheduler", len(points)), 60)


def told(funnel, who, leads):
    """Say whether the CRM was told all that happened to so many leads; what it was told is in order, and never new."""
    events = {event["id"]: event for event in funnel.told() if f"+{who}" in event["data"]["lead"]["email"]}.values()
    for address in {event["data"]["lead"]["email"] for event in events}:
        steps = [event for event in events if event["data"]["lead"]["email"] == address]
        assert [event["type"] for event in steps] == WHOLE[: len(steps)]
    return len(events) == leads * len(WHOLE)


def test_a_flushed_redis_loses_nothing_and_repeats_nothing(funnel):
    opt_in(funnel, ANA)
    wait_until("the first email is delivered", lambda: "delivered" in states_of(funnel, ANA))
    funnel.redis.flush()
    wait_until("the others are delivered", all_delivered(funnel, "ana", 1))
    assert nothing_twice(funnel, "ana")


def test_two_schedulers_do_no_harm_and_the_second_takes_over_within_5_s(funnel):
    with Redis.from_url(funnel.redis.url) as redis:
        # While there is one alone: whenever it stands still for longer than its lock holds, the second takes over.
        owner = wait_until("the first owns the lock", lambda: redis.get("rq:scheduler_lock"), 5)
        funnel.processes.start("second", "-m", "jobs.scheduler")
        opt_in(funnel, BEA)
        wait_until("the first email is delivered", lambda: "delivered" in states_of(funnel, BEA))
        funnel.processes.kill("scheduler")
        wait_until("the second owns the lock", lambda: redis.get("rq:scheduler_lock") not in {owner, None}, 5)
    wait_until("the others are delivered", all_delivered(funnel, "bea", 1))
    assert nothing_twice(funnel, "bea")
    funnel.processes.running["scheduler"] = funnel.processes.running.pop("second")


def test_nothing_of_all_that_went_twice_and_the_processes_stop_with_0_when_asked(funnel):
    """The last of this file: nothing runs after it."""
    assert [email for email, count in inbox(funnel).items() if count != 1] == []
    stop_with_0(funnel)
