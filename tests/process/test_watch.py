"""A dead scheduler, worker or web process is noticed by the others and told, once; the canary runs through them all.

The settings here listen for 6 seconds instead of 60. What adds to that does not scale with it: a worker must be missing
for 10 s and the web for 15 before anybody is told, so with the default settings it is 80 s at most.
"""

import json
import time

import pytest

from funnel_app.flows.monitoring.alerts.alert_words import BEGAN, OVER
from sandbox.stack import running_stack
from tests.pace import patient
from tests.process.chat import Chat
from tests.process.starting import ONE_OF_EACH, start_funnel
from tests.process.watching import log_of, opt_in, wait_until

pytestmark = pytest.mark.process(lasts_s=12)
SHORT = {"SILENT_AFTER_SECONDS": "6", "WATCH_EVERY_SECONDS": "1"}


@pytest.fixture(scope="module")
def watched():
    """A Funnel that tells a chat what is wrong, with its chat."""
    with Chat() as chat:
        urls = {"ALERT_WEBHOOK_URL": chat.url, "HEARTBEAT_URL": chat.url.replace("secret", "beat")}
        with running_stack(3600, CANARY_EVERY_MINUTES="60", **ONE_OF_EACH, **SHORT, **urls) as stack:
            start_funnel(stack)
            yield stack, chat


def test_the_canary_runs_and_the_heartbeat_is_sent(watched):
    stack, chat = watched
    wait_until("the canary's email goes out", lambda: any("canary" in e["to"][0] for e in stack.received()), 60)
    said = stack.flask("resend", "canary")
    assert "accepted" in said and said.rstrip().endswith("delivered")
    wait_until("a heartbeat is sent", lambda: chat.count("GET /beat"), 90)
    told = json.loads(stack.flask("ledger", "stats"))
    assert told["planned"] == 0, "a canary stands in no figure"


@pytest.mark.parametrize(
    ("part", "words"),
    [("worker", "Workers are missing"), ("scheduler", "The scheduler is silent"), ("web", "The public address does")],
)
def test_a_dead_part_is_noticed_by_the_others(watched, part, words):
    stack, chat = watched
    began = f"{BEGAN}{words}"
    # A machine that stands still lets it be told of a part that lives; until that is over nobody is told again.
    wait_until("nothing of the kind goes on", lambda: chat.count(began) == chat.count(f"{OVER}{words}"), 150)
    told, killed_at = chat.count(began), time.monotonic()
    stack.processes.kill(part)
    wait_until(f"it is told that {part} is gone", lambda: chat.count(began) > told, 90)
    assert chat.last(began) - killed_at < patient(60)
    stack.processes.start(part)
    stack.wait_until_ready()
    assert chat.count(began) == told + 1, "once, though two processes see it"
    assert not any("secret-of-the-chat" in log_of(stack, name) for name in ("web", "worker", "scheduler"))


def test_every_line_of_every_log_is_json_and_holds_no_address(watched):
    stack, _ = watched
    first, *_ = opt_in(stack, "delivered+somebody@resend.dev")["emails"]
    wait_until("the worker tells of it", lambda: any(first["id"] in line for line in answered(stack)))
    for name in ("web", "worker", "scheduler"):
        text = log_of(stack, name)
        lines = [line for line in text.splitlines() if line.startswith("{")]
        assert lines and all(json.loads(line)["event"] for line in lines)
        assert "delivered+" not in text and "somebody" not in text
        for setting in ("HOOK_SECRET", "SECRET_KEY", "CONSOLE_PASSWORD"):
            assert stack.processes.env[setting] not in text


def answered(stack):
    return [line for line in log_of(stack, "worker").splitlines() if "request_answered" in line]
