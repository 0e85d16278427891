"""How late emails are after kill -9 of each process, from the moment at which its successor is up."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.redis_server import RedisServer
from sandbox.stack import Stack, running_stack, start_funnel
from tests.process.watching import delivered, inbox, opt_in, wait_until

INTERVAL_S = 6
LEADS = 5
AWAY_S = 1.0


@dataclass(frozen=True)
class Lateness:
    """How many seconds the last of the due emails was late, counted from its time or from the successor's start."""

    killed: str
    worst_s: float
    twice: int


def killed_before_due(name: str) -> Lateness:
    """Kill a process a second before the second emails are due, start its successor, and see when they come."""
    with running_stack(INTERVAL_S) as stack:
        start_funnel(stack)
        due = _sign_up(stack)
        wait_until("the first emails are delivered", delivered(stack, LEADS))
        _sleep_until(due - 1.0)
        KILLS[name](stack)
        time.sleep(AWAY_S)
        SUCCESSORS[name](stack)
        return _measure(stack, name, max(due, time.time()), 2 * LEADS)


def killed_in_flight(point: str) -> Lateness:
    """Kill a worker at a point of an email's way while it has the email in flight; others live beside it."""
    with running_stack(3600) as stack:
        start_funnel(stack)
        stack.processes.kill("worker")
        stack.processes.start("victim", "-m", "tests.process.crash", point, str(stack.processes.folder / "died"))
        opt_in(stack, "delivered+0@resend.dev")
        wait_until("the victim dies", lambda: stack.processes.running["victim"].poll() is not None)
        stack.processes.start("worker")
        return _measure(stack, f"worker {point}", time.time(), 1)


def _sign_up(stack: Stack) -> float:
    answers = [opt_in(stack, f"delivered+{n}@resend.dev") for n in range(LEADS)]
    return max(datetime.fromisoformat(answer["emails"][1]["due_at"]).timestamp() for answer in answers)


def _started(redis: RedisServer) -> None:
    redis.start()


def _sleep_until(at: float) -> None:
    time.sleep(max(0.0, at - time.time()))


def _measure(stack: Stack, name: str, begun: float, count: int) -> Lateness:
    wait_until("the emails went out", lambda: len(stack.received()) >= count, 60)
    times = [datetime.fromisoformat(email["received_at"]) for email in stack.received()[:count]]
    worst = max(times).astimezone(UTC).timestamp() - begun
    came = inbox(stack)
    return Lateness(name, max(0.0, worst), came.total() - len(came))


BEFORE_THE_CALL = ("after the claim", "after the freeze", "before the call to Resend")
PLANNED_WITHIN_S = 5.0
IN_FLIGHT_WITHIN_S = 25.0
KILLS: Mapping[str, Callable[[Stack], None]] = {
    "web": lambda stack: stack.processes.kill("web"),
    "worker": lambda stack: stack.processes.kill("worker"),
    "scheduler": lambda stack: stack.processes.kill("scheduler"),
    "redis": lambda stack: stack.redis.kill(),
}
SUCCESSORS: Mapping[str, Callable[[Stack], None]] = {
    "web": lambda stack: stack.processes.start("web"),
    "worker": lambda stack: stack.processes.start("worker"),
    "scheduler": lambda stack: stack.processes.start("scheduler"),
    "redis": lambda stack: _started(stack.redis),
}
