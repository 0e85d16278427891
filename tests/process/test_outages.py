"""With Redis, Resend, Notion or a part of Funnel away, hooks are accepted, nobody dies, and work resumes by itself."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from redis import Redis

from funnel_app.campaigns.registry import load_registry
from sandbox.stack import running_stack
from tests.pace import patient
from tests.process.one_lead import states_of
from tests.process.starting import ONE_OF_EACH, start_funnel, write_texts
from tests.process.watching import delivered, emails, log_of, nothing_twice, opt_in, running, wait_until

KEYS = load_registry().template_keys()
pytestmark = pytest.mark.process
ANA, BEA = "delivered+ana@resend.dev", "delivered+bea@resend.dev"


@pytest.fixture(scope="module")
def funnel():
    """One Funnel for all that happens to a sequence's first email; the others are hours away."""
    with running_stack(3600) as stack:
        start_funnel(stack)
        yield stack


def goes_to(funnel, address, count=1):
    """The condition that so many emails to an address are delivered."""
    return lambda: states_of(funnel, address).count("delivered") == count


@pytest.mark.parametrize("trouble", ["killed", "hanging"])
def test_without_redis_hooks_are_accepted_and_work_resumes_when_it_returns(funnel, trouble):
    redis, address = funnel.redis, f"delivered+{trouble}@resend.dev"
    said = log_of(funnel, "scheduler").count("redis_unavailable")
    redis.kill() if trouble == "killed" else redis.pause()
    begun = time.monotonic()
    assert opt_in(funnel, address)["status"] == "accepted"
    assert time.monotonic() - begun < patient(5), "a caller is not kept waiting for Redis"
    wait_until("the processes notice", lambda: log_of(funnel, "scheduler").count("redis_unavailable") > said)
    assert running(funnel, "web", "worker", "scheduler")
    redis.start() if trouble == "killed" else redis.resume()
    wait_until("the email is delivered", goes_to(funnel, address))
    assert nothing_twice(funnel)


def children(funnel):
    parent = funnel.processes.running["worker"].pid
    return {int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()}


def test_a_dead_worker_is_replaced_and_a_dead_parent_takes_its_workers_along(funnel):
    before = children(funnel)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    wait_until("it is replaced", lambda: len(children(funnel) - {victim}) == len(before))
    left, survivors = children(funnel), before - {victim}
    wait_until("they are heard of", lambda: survivors <= heard_of(funnel))
    parent = funnel.processes.running.pop("worker")
    parent.kill()
    assert parent.wait() == -signal.SIGKILL
    wait_until("the orphans end", lambda: not any(lives(pid) for pid in left))
    assert survivors <= heard_of(funnel), "nobody would be told of workers that are forgotten"
    opt_in(funnel, address := "delivered+orphan@resend.dev")
    funnel.processes.start("worker")
    wait_until("the email is delivered", goes_to(funnel, address))


def heard_of(funnel):
    with Redis.from_url(funnel.redis.url) as redis:
        names = [name.decode() for name in redis.hkeys("funnel:seen")]
    return {int(name.rpartition(":")[2]) for name in names if name.startswith("worker:")}


def lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


RATE = {"status": 429, "name": "rate_limit_exceeded", "message": "Too many requests", "retry_after": 1}
LOST = {"lost_answer": True, "drop": True}
BUSY = {"status": 500, "name": "internal_server_error", "message": "An unexpected error occurred."}
CUT = {"drop": True}


@pytest.mark.parametrize(
    "trouble",
    [[RATE], [LOST, RATE], [BUSY, BUSY], [CUT], [LOST, BUSY, RATE]],
    ids=["rate limit", "lost answer, then rate limit", "5xx twice", "cut connection", "lost answer, 5xx, rate limit"],
)
def test_whatever_resend_answers_each_email_goes_once(funnel, trouble):
    funnel.control({"resend.fail": trouble})
    address = f"delivered+{'-'.join(str(len(fault)) for fault in trouble)}x{id(trouble)}@resend.dev"
    opt_in(funnel, address)
    wait_until("the email is delivered", goes_to(funnel, address), 60)
    assert nothing_twice(funnel)


def test_a_wrong_key_pauses_all_sending_and_nothing_fails(funnel):
    funnel.control({"resend.fail_always": {"status": 401, "name": "missing_api_key", "message": "Missing API key"}})
    said = log_of(funnel, "worker").count("paused")
    opt_in(funnel, BEA)
    wait_until("the worker says it", lambda: log_of(funnel, "worker").count("paused") > said)
    assert states_of(funnel, BEA)[0] in {"planned", "sending"}
    funnel.control({"resend.fail_always": None})
    wait_until("the email is delivered", goes_to(funnel, BEA), 60)


def test_worker_and_scheduler_wait_for_the_ledger_and_an_email_for_its_text():
    with running_stack(3600, **ONE_OF_EACH) as stack:
        for name in ("worker", "scheduler"):
            stack.processes.start(name)
            wait_until(f"{name} says what it waits for", lambda name=name: "waiting_for_ledger" in log_of(stack, name))
        assert running(stack, "worker", "scheduler")
        stack.flask("db", "upgrade")
        stack.processes.start("web")
        stack.wait_until_ready()
        wait_until(
            "the watch names it, with no lead due",
            lambda: log_of(stack, "scheduler").count("template_broken") == len(KEYS),
        )
        opt_in(stack, ANA)
        held = wait_until("the email is held", lambda: next((r for r in emails(stack) if r["state"] == "held"), None))
        assert "no page in the templates database is named lead_nurture_email_1" in held["reason"]
        story = json.loads(stack.flask("trace", ANA, "--json"))
        assert "fix that, and it goes by itself within two minutes" in story["enrolments"][0]["sentence"]
        write_texts(stack)
        wait_until("it goes by itself", delivered(stack, 1), 120)
        assert nothing_twice(stack)


def test_without_notion_the_last_good_text_serves(funnel):
    before, after = "delivered+before@resend.dev", "delivered+after@resend.dev"
    opt_in(funnel, before)
    wait_until("the first lead's email is delivered", goes_to(funnel, before))
    funnel.control({"notion.fail_always": {"status": 503, "code": "service_unavailable", "message": "away"}})
    opt_in(funnel, after)
    wait_until("the second lead's too", goes_to(funnel, after))
    funnel.control({"notion.fail_always": None})
