"""kill -9 at each point of an email's way: nothing is lost, and nothing goes twice."""

from urllib.error import URLError

import pytest

from sandbox.stack import running_stack, start_funnel
from tests.process.crash import POINTS
from tests.process.watching import delivered, inbox, opt_in, wait_until

pytestmark = pytest.mark.process
WHOLE = ["lead.enrolled", *["email.delivered"] * 5, "sequence.ended"]


@pytest.fixture
def funnel():
    """A Funnel in which every email but the first of a sequence is five seconds away."""
    with running_stack(5) as stack:
        start_funnel(stack)
        yield stack


def start_victim(funnel, number, point):
    marker = funnel.processes.folder / f"died-{number}"
    funnel.processes.start(f"victim-{number}", "-m", "tests.process.crash", point, str(marker))
    return marker


def dies(funnel, number):
    wait_until(f"victim {number} dies", lambda: funnel.processes.running[f"victim-{number}"].poll() is not None)
    assert funnel.processes.running.pop(f"victim-{number}").returncode == -9


def test_a_web_process_that_dies_leaves_a_committed_hook_or_none(funnel):
    points = [point for point, what in POINTS.items() if what.process == "web"]
    for number, point in enumerate(points):
        funnel.processes.kill("web")
        marker = start_victim(funnel, number, point)
        funnel.wait_until_ready()
        address = f"delivered+web{number}@resend.dev"
        with pytest.raises((URLError, OSError)):
            opt_in(funnel, address)
        assert marker.exists()
        assert opt_in(funnel, address)["status"] == "duplicate", "what was committed is there for the caller's retry"
        funnel.processes.kill(f"victim-{number}")
        funnel.processes.start("web")
        funnel.wait_until_ready()
    wait_until("every email of both leads is delivered", delivered(funnel, 5 * len(points)), within_s=60)
    assert inbox(funnel).total() == len(inbox(funnel)) == 5 * len(points)


def test_a_worker_that_dies_anywhere_loses_nothing_and_repeats_nothing(funnel):
    points = [point for point, what in POINTS.items() if what.process == "worker"]
    for number, point in enumerate(points):
        funnel.processes.kill("worker")
        start_victim(funnel, number, point)
        opt_in(funnel, f"delivered+worker{number}@resend.dev")
        dies(funnel, number)
        funnel.processes.start("worker")
    wait_until("every email is delivered", delivered(funnel, 5 * len(points)), within_s=120)
    assert inbox(funnel).total() == len(inbox(funnel)) == 5 * len(points)


def test_a_scheduler_that_dies_anywhere_loses_nothing_and_repeats_nothing(funnel):
    points = [point for point, what in POINTS.items() if what.process == "scheduler"]
    for number, point in enumerate(points):
        opt_in(funnel, f"delivered+scheduler{number}@resend.dev")
        funnel.processes.kill("scheduler")
        start_victim(funnel, number, point)
        dies(funnel, number)
        funnel.processes.start("scheduler")
    wait_until("every email is delivered", delivered(funnel, 5 * len(points)), within_s=90)
    assert inbox(funnel).total() == len(inbox(funnel)) == 5 * len(points)
    wait_until("the CRM is told that every lead's sequence is over", lambda: told(funnel, len(points)), within_s=60)


def told(funnel, leads):
    """Say whether the CRM was told all that happened to so many leads; what it was told is in order, and never new."""
    events = list({event["id"]: event for event in funnel.told()}.values())
    for address in {event["data"]["lead"]["email"] for event in events}:
        steps = [event for event in events if event["data"]["lead"]["email"] == address]
        assert [event["type"] for event in steps] == WHOLE[: len(steps)]
    return len(events) == leads * len(WHOLE)
