"""The machine's clock jumps by hours under a Funnel that runs: nothing is planned or sent by the wrong time."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.stack import running_stack
from tests.chaos.wrong_clock import WrongClock
from tests.process.starting import ONE_OF_EACH, start_funnel
from tests.process.watching import delivered, emails, log_of, nothing_twice, opt_in, wait_until

pytestmark = pytest.mark.process(lasts_s=45)
SECONDS_FOR_A_DAY = 4
SOON = timedelta(seconds=60)


@pytest.fixture
def machine():
    """A Funnel, and its machine's clock, which can be set wrong."""
    with running_stack(SECONDS_FOR_A_DAY, WATCH_EVERY_SECONDS="1", **ONE_OF_EACH) as stack:
        clock = WrongClock(stack.processes.folder)
        stack.processes.env = {**stack.processes.env, **clock.env}
        start_funnel(stack)
        yield stack, clock


def test_a_clock_that_jumps_stops_sending_and_nothing_else(machine):
    stack, clock = machine
    jump(stack, clock, "ahead", timedelta(hours=3))
    # So soon after the first it is the same incident.
    jump(stack, clock, "back", timedelta(hours=-2))
    assert nothing_twice(stack) and len(stack.received()) == 40
    assert {row["state"] for row in emails(stack)} == {"delivered"}


def jump(stack, clock, name, by):
    before, said = len(stack.received()), log_of(stack, "scheduler")

    def told(event):
        return log_of(stack, "scheduler").count(event) > said.count(event)

    opt_in(stack, f"delivered+{name}@resend.dev")
    wait_until("the first email is delivered", delivered(stack, before + 1))
    clock.jump(round(by.total_seconds()))
    wait_until("sending is stopped, and said so", lambda: told('"event": "clock_jumped"'))
    sent = len(stack.received())
    # One that starts under the wrong clock must not believe it either.
    stack.processes.kill("web")
    stack.processes.start("web")
    stack.wait_until_ready()
    answers = [opt_in(stack, f"delivered+{name}{n}@resend.dev") for n in range(3)]
    for answer in answers:
        due = [datetime.fromisoformat(email["due_at"]) for email in answer["emails"]]
        assert abs(due[0] - datetime.now(UTC)) < SOON, "planned by the time that it is"
        assert due[-1] - due[0] == timedelta(seconds=4 * SECONDS_FOR_A_DAY)
    wait_until("an incident is kept", lambda: '"kind": "clock_jumped"' in log_of(stack, "scheduler"))
    assert len(stack.received()) <= sent + 1, "only what was in flight when the clock jumped goes out"
    clock.set_right()
    wait_until("every email is delivered", delivered(stack, before + 5 * 4), 120)
    # It is told after sending goes on.
    wait_until("that the clock is right is told", lambda: told("clock_recovered"), 5)
