"""What an email of a batch costs the processor, in this process: `python -m bench.batch [profile] [one]`.

A thousand emails that are due go out by `deliver_due`, over SQLite and Redis, to a stand-in that is a process of its
own. The cheapest of five times two hundred counts, since whatever else runs makes the others dearer; how many functions
are called does not depend on it. `one` sends them one by one, and `profile` prints where the time goes. Exit 1 where
one did not go out.
"""

import cProfile
import gc
import os
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.accept import deps_here
from bench.common import Row, calibrate, show
from bench.due import NO_LIMIT, wait_for, write
from funnel_app.deps import Deps
from funnel_app.flows.sending.backlog import deliver_due
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.templates.starters import find_starter
from sandbox.command_line import command_line
from sandbox.processes import Processes, development_settings
from sandbox.redis_server import RedisServer, free_port
from tests.fakes.notion import FakeNotebook, JudgeHere

PARTS, EMAILS, LINES = 5, 200, 60
TEMPLATE = "lead_nurture_email_1"
GOAL_MS, GOAL_CALLS = 1.2, 1300


def main(profiled: bool, one_by_one: bool) -> int:
    """Print an email's cost, with a profile if wanted; exit with 1 if one was not sent."""
    machine = calibrate()
    with ready_to_send() as (deps, url):
        costs, profile = _measure(deps, one_by_one)
        came = len(wait_for(url, (PARTS + 2) * EMAILS, 1)["emails"])
    if profiled:
        for order in ("tottime", "cumulative"):
            profile.sort_stats(order).print_stats(LINES)
    what = "by itself" if one_by_one else "of a batch"
    cost = Row(f"the processor an email {what}", min(costs), "ms", GOAL_MS, more_is_better=False)
    calls = profile.total_calls / EMAILS  # type: ignore[attr-defined]
    called = Row(f"functions called an email {what}", calls, "calls", GOAL_CALLS, more_is_better=False)
    show("An email in one process", machine, [cost, called])
    return int(came != (PARTS + 2) * EMAILS)


@contextmanager
def ready_to_send() -> Iterator[tuple[Deps, str]]:
    """Yield the collaborators that send a starter's letter to the fast stand-in for Resend, and its address."""
    with (
        tempfile.TemporaryDirectory() as folder,
        RedisServer() as redis,
        _stub(Path(folder)) as url,
        (Path(folder) / "log").open("w") as log,
        redirect_stderr(log),
    ):
        yield _deps(Path(folder), redis.url, url), url


@contextmanager
def _stub(folder: Path) -> Iterator[str]:
    port = free_port()
    url, processes = f"http://127.0.0.1:{port}", Processes(folder, os.environ)
    try:
        processes.start("stub", "-m", "bench.stub", str(port))
        processes.wait_for("stub", f"{url}/seen")
        yield url
    finally:
        processes.stop()


def _deps(folder: Path, redis_url: str, stub_url: str) -> Deps:
    """Return collaborators that send as fast as they can, over a new ledger."""
    os.environ |= development_settings(
        folder=folder, web_port=1, sandbox_url=stub_url, redis_url=redis_url, interval_s=3600
    ) | {"RESEND_API_URL": stub_url, "RESEND_RATE_LIMIT": str(NO_LIMIT), "RESEND_RATE_SHARE": "1"}
    notebook: Any = FakeNotebook()
    judge: Any = JudgeHere()
    subject, html = find_starter(TEMPLATE) or ("", "")
    notebook.write(TEMPLATE, subject, html)
    return replace(deps_here(), notebook=notebook, judge=judge)


def _measure(deps: Deps, one_by_one: bool) -> tuple[list[float], pstats.Stats]:
    """Return an email's cost by part, and a profile of one more."""
    send = _one_by_one if one_by_one else together
    cost_ms(deps, send)
    # As the workers do.
    gc.freeze()
    costs = [cost_ms(deps, send) for _ in range(PARTS)]
    profile, ids = cProfile.Profile(time.thread_time), _emails_due(deps)
    profile.runcall(send, deps, ids)
    return costs, pstats.Stats(profile)


def cost_ms(deps: Deps, send: Callable[[Deps, Sequence[UUID]], None]) -> float:
    """Return the CPU time per email of one part, in ms."""
    ids, began = _emails_due(deps), time.process_time()
    send(deps, ids)
    return (time.process_time() - began) * 1000 / EMAILS


def _emails_due(deps: Deps) -> list[UUID]:
    """Write emails that are due now, and put them on the clock."""
    now = datetime.now(UTC)
    ids = write(deps.engine, [now] * EMAILS)
    deps.queues.schedule([(each, now) for each in ids], now)
    return ids


def together(deps: Deps, ids: Sequence[UUID]) -> None:
    """Send them in one batch."""
    deliver_due(deps, ids[0])


def _one_by_one(deps: Deps, ids: Sequence[UUID]) -> None:
    for each in ids:
        deliver(deps, [each])


if __name__ == "__main__":
    given = command_line(__doc__, ("profile", "one"))
    sys.exit(main(given["profile"], given["one"]))
