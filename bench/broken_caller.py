"""How fast one broken caller makes the ledger grow: `python -m bench.broken_caller [CALLS]`.

It knows the secret and sends calls of 60 KB that cannot be used, each another one. It ends with 1 where the ledger grew
by more than the log and a day's room for one caller and a half, or went on growing when that was full, or refused a
good signup.
"""

import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.common import Load, Row, calibrate, call, post, show
from bench.shots import person
from funnel_app.flows.intake.keep_refused import BUDGET_BYTES
from funnel_app.ledger.database.engine import USUAL_LOG
from sandbox.command_line import command_line
from sandbox.stack import Stack, running_stack, start_web

PATH = "/webhook/christmas/signup"
CALLERS = 8
FILLER = "x" * 60_000
MOST_MB = (USUAL_LOG + 1.5 * BUDGET_BYTES) / 1e6
GROWTH_MB_S = 0.1


@dataclass(frozen=True)
class Burst:
    """The answers to these calls, and the growth of the ledger's files."""

    load: Load
    grown_mb: float

    @property
    def mb_per_s(self) -> float:
        """The ledger's growth per second, in megabytes."""
        return self.grown_mb / self.load.took_s


def size_mb(stack: Stack) -> float:
    """Return the size of the ledger with SQLite's other files, in megabytes."""
    return sum(each.stat().st_size for each in stack.ledger.parent.glob(f"{stack.ledger.name}*")) / 1e6


def send(stack: Stack, numbers: Sequence[int]) -> Burst:
    """Send unusable calls, each different."""
    proof = [("Authorization", f"Bearer {stack.processes.env['HOOK_SECRET']}")]
    bodies = (json.dumps({"email": f"nobody{number}", "filler": FILLER}).encode() for number in numbers)
    before = size_mb(stack)
    load = call(int(stack.processes.env["PORT"]), [post(PATH, body, proof) for body in bodies], CALLERS)
    return Burst(load, size_mb(stack) - before)


def good_signup_ms(stack: Stack) -> float:
    """Return how long a valid signup takes, in ms; 0 if it is refused."""
    began = time.perf_counter()
    status, _ = stack.post(PATH, person(random.Random(1)))
    return (time.perf_counter() - began) * 1000 if status == 202 else 0.0


def main(count: int) -> int:
    """Start a web process, send the calls and print a table; exit with 1 if a promise does not hold."""
    machine = calibrate()
    with running_stack(3600, EVENTS_WEBHOOK_URL="") as stack:
        start_web(stack)
        full = round(BUDGET_BYTES / len(FILLER)) + 1
        first = send(stack, range(full))
        then = send(stack, range(full, full + count))
        took_ms = good_signup_ms(stack)
    rows = [
        Row("the ledger's growth until the room of a day is full", first.grown_mb, "MB", MOST_MB, False),
        Row("its growth in a second until then", first.mb_per_s, "MB/s"),
        Row("its growth in a second afterwards", max(0.001, then.mb_per_s), "MB/s", GROWTH_MB_S, False),
        Row("such calls answered in a second afterwards", then.load.statuses[422] / then.load.took_s, "/s"),
        Row("a signup that can be used, afterwards", took_ms, "ms"),
    ]
    return 0 if show(f"One broken caller, {full + count} calls of 60 KB", machine, rows) and took_ms else 1


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, count=1500)))
