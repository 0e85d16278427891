"""How fast emails go out that are all due at once, and what each costs: `python -m bench.drain [full]`.

Against a stand-in that answers at once and counts calls strictly by the clock's seconds. Exit 1 where one is missing,
came twice or early, or where a call was refused for the rate.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.common import Row, calibrate, processor_s, show
from bench.due import Bench, running_bench
from sandbox.command_line import command_line
from tests.postgres_server import PostgresServer

SHORT = ((1000, 2), (1000, 0))
FULL = ((1000, 2), (10_000, 2), (1000, 5), (10_000, 5), (1000, 0), (10_000, 0))
AHEAD = timedelta(seconds=4)
PARTS = ("worker", "scheduler")
# Emails a second without a limit, and the processor's milliseconds an email.
UNLIMITED, COST_MS = 1500.0, 2.0
OF_THE_BOUND = 0.975


@dataclass(frozen=True)
class Drained:
    """The result for a number of emails at a rate of calls."""

    emails: int
    limit: int
    took_s: float
    cost_ms: float
    sizes: list[int]
    refused: int
    faults: int

    def rows(self, where: str) -> list[Row]:
        """Return the figures as rows of a table."""
        what = f"{self.emails} due at once, {f'{self.limit} calls/s' if self.limit else 'no limit'}, {where}"
        goal = OF_THE_BOUND * 100 * self.limit if self.limit else UNLIMITED
        return [
            Row(f"{what}: emails a second", self.emails / self.took_s, "/s", goal),
            Row(f"{what}: processor an email, worker and scheduler", self.cost_ms, "ms", COST_MS, more_is_better=False),
            Row(f"{what}: emails a call ({len(self.sizes)} calls, {self.refused} refused)",
                self.emails / max(len(self.sizes), 1), "", 100 * OF_THE_BOUND),
        ]  # fmt: skip


def drain(bench: Bench, emails: int, limit: int) -> Drained:
    """Make this many emails due at once, and wait until all arrived."""
    bench.forget()
    ahead = AHEAD + timedelta(milliseconds=emails)
    due = (datetime.now(UTC) + ahead).replace(microsecond=0)
    ids = bench.plan([due] * emails)
    time.sleep(max((due - datetime.now(UTC)).total_seconds() - 1, 0))
    used = processor_s(bench.pids(*PARTS))
    seen = bench.wait_for(emails, within_s=60 + emails / (100 * limit or 50))
    cost = processor_s(bench.pids(*PARTS)) - used
    came = [name for name, _ in seen["emails"]]
    early = sum(at < due.timestamp() for _, at in seen["emails"])
    faults = len({str(each) for each in ids} ^ set(came)) + len(came) - len(set(came)) + early + seen["refused"]
    took = max(at for _, at in seen["emails"]) - due.timestamp() if came else float("inf")
    return Drained(emails, limit, took, cost * 1000 / emails, seen["sizes"], seen["refused"], faults)


@contextmanager
def ledgers(full: bool) -> Iterator[dict[str, str]]:
    """Yield the ledgers to measure on: SQLite, and with `full` also PostgreSQL."""
    if not full:
        yield {"SQLite": ""}
        return
    server = PostgresServer().start()
    try:
        yield {"SQLite": "", "PostgreSQL": server.url}
    finally:
        server.stop()


def main(full: bool) -> int:
    """Print the table; exit with 1 if an email is missing, duplicate or early, or a call was refused."""
    machine, found = calibrate(), []
    with tempfile.TemporaryDirectory(), ledgers(full) as places:
        for where, url in places.items():
            for emails, limit in FULL if full else SHORT:
                with running_bench(limit, url) as bench:
                    found.append((where, drain(bench, emails, limit)))
    show("Emails that are due at once", machine, [row for where, drained in found for row in drained.rows(where)])
    for where, drained in found:
        if drained.faults:
            print(f"{drained.faults} missing, twice, early or refused of {drained.emails} at {drained.limit}, {where}")
    return int(any(drained.faults for _, drained in found))


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, ("full",))))
