"""What Funnel takes of a machine's memory at rest, and at work: `python -m bench.memory`.

Everything that the image runs (`ROLE=all`) and its Redis, what they share counted once (PSS). Exit 1 above the goal.
"""

import sys
import time
from collections.abc import Mapping
from contextlib import suppress

import psutil

from bench.common import Row, calibrate, family, pss_mb, show
from bench.slow_sockets import hooks
from sandbox.command_line import command_line
from sandbox.stack import Stack, running_stack

AT_REST_MB = 180.0
SETTLES_S = 15.0
# The process that judges texts ends when it is idle, and on a busy machine it begins late.
JUDGED_WITHIN_S = 60.0
HOOKS = 300


def by_part(stack: Stack) -> dict[str, list[float]]:
    """Return the memory of each process, by part."""
    found: dict[str, list[float]] = {}
    for process in family([stack.processes.running["container"].pid]):
        # One that ended meanwhile takes none.
        with suppress(psutil.NoSuchProcess):
            found.setdefault(_part(process), []).append(pss_mb(process))
    found["redis"] = [pss_mb(each) for each in psutil.Process().children() if "redis" in each.name()]
    return found


def _part(process: psutil.Process) -> str:
    title = " ".join(process.cmdline())
    words = {
        "letters/child.py": "judge",
        "gunicorn": "web",
        "funnel web": "web",
        "funnel worker": "worker",
        "funnel scheduler": "scheduler",
    }
    return next((part for word, part in words.items() if word in title), "parent")


def settled(stack: Stack) -> dict[str, list[float]]:
    """Return the memory by part once the start is over and no text is being judged."""
    time.sleep(SETTLES_S)
    until = time.monotonic() + JUDGED_WITHIN_S
    while "judge" in (parts := by_part(stack)) and time.monotonic() < until:
        time.sleep(1)
    return parts


def rows(parts: Mapping[str, list[float]], when: str, goal: float | None) -> list[Row]:
    """Return the sum, then each part."""
    total = sum(sum(each) for each in parts.values())
    detail = [Row(f"{when}: {name}, {len(each)} processes", sum(each), "MB") for name, each in sorted(parts.items())]
    return [Row(f"{when}: all processes", total, "MB", goal, more_is_better=False), *detail]


def main() -> int:
    """Start what the image runs, wait until it is idle, and measure; then again after some hooks and their emails."""
    machine = calibrate()
    with running_stack(3600, EVENTS_WEBHOOK_URL="") as stack:
        stack.flask("templates", "populate")
        stack.processes.start("container", "-m", "jobs.start")
        stack.wait_until_ready()
        at_rest = settled(stack)
        hooks(stack, HOOKS, seed=1)
        at_work = settled(stack)
    table = rows(at_rest, "at rest", AT_REST_MB) + rows(at_work, f"after {HOOKS} signups", None)
    return 0 if show("Memory (PSS)", machine, table) else 1


if __name__ == "__main__":
    command_line(__doc__)
    sys.exit(main())
