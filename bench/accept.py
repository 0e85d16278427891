"""What a signup costs the processor, from its bytes to its answer: `python -m bench.accept [events] [profile]`.

One caller in this process, whose calls go through the web's own parser and application, the ledger and Redis. The
cheapest of ten hundreds counts, since whatever else runs makes the others dearer; how many functions are called does
not depend on it. `events` measures what Resend reports of the signups' first emails instead, and `profile` prints where
the time goes. Exit 1 where a call is not answered with 2xx.
"""

import cProfile
import gc
import json
import os
import pstats
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gunicorn.config import Config

from bench.common import Row, calibrate, show
from bench.events import KINDS, events_of
from bench.intake import SCENES, signups
from funnel_app.app import create_app
from funnel_app.config import load_settings
from funnel_app.deps import Deps, build_deps
from funnel_app.ledger.database import schema
from funnel_app.logs import configure_logging
from funnel_app.redact import redactor
from jobs.web_answer import keep_settings, make_answer
from jobs.web_framing import Incoming
from sandbox.command_line import command_line
from sandbox.processes import development_settings
from sandbox.redis_server import RedisServer

PARTS, CALLS, WARM_UP, LINES = 10, 100, 100, 45
SIGNUP, EVENT = "signup", "report of Resend"
GOALS_MS = {SIGNUP: 2.0, EVENT: 1.5}


def main(what: str, profiled: bool) -> int:
    """Print the CPU time per signup or event, and where it goes; exit with 1 if one was not accepted."""
    machine = calibrate()
    with tempfile.TemporaryDirectory() as folder, RedisServer() as redis:
        os.environ |= development_settings(
            folder=Path(folder), web_port=1, sandbox_url="http://127.0.0.1:1", redis_url=redis.url, interval_s=3600
        )
        with (Path(folder) / "log").open("w") as log, redirect_stderr(log):
            costs, profile, faults = _measure(deps_here(), what)
    if profiled:
        for order in ("tottime", "cumulative"):
            profile.sort_stats(order).print_stats(LINES)
    show(
        f"A {what} in one process",
        machine,
        [
            Row(f"the processor a {what}", min(costs), "ms", GOALS_MS[what], more_is_better=False),
            Row(f"functions called a {what}", profile.total_calls / CALLS, "calls"),  # type: ignore[attr-defined]
        ],
    )
    return int(faults > 0)


def deps_here() -> Deps:
    """Return the collaborators for the environment's settings, over a migrated ledger."""
    settings = load_settings()
    configure_logging(settings.log_level, redactor(settings))
    deps = build_deps(settings)
    schema.upgrade(deps.engine)
    return deps


def _measure(deps: Deps, what: str) -> tuple[list[float], pstats.Stats, int]:
    """Return a call's cost by part, a profile of one more call, and how many were not accepted."""
    app = create_app(deps)
    many = WARM_UP + (PARTS + 1) * CALLS
    calls = iter(signups(range(many), SCENES[0], deps.settings.hook_secrets[0]))
    if what == EVENT:
        of_emails = _answer(app, list(islice(calls, many // len(KINDS))))
        calls = _events(of_emails, deps.settings.resend_webhook_secret)
    answers, costs = _answer(app, list(islice(calls, WARM_UP))), []
    # As the web's processes do.
    gc.freeze()
    for _ in range(PARTS):
        some, began = list(islice(calls, CALLS)), time.process_time()
        answers += _answer(app, some)
        costs.append((time.process_time() - began) * 1000 / CALLS)
    profile = cProfile.Profile(time.thread_time)
    answers += profile.runcall(_answer, app, list(islice(calls, CALLS)))
    return costs, pstats.Stats(profile), sum(b" 20" not in answer[:12] for answer in answers)


def _events(answers: Sequence[bytes], secret: str) -> Iterator[bytes]:
    """Yield Resend's events about the first email of each signup."""
    for answer in answers:
        first = json.loads(answer.partition(b"\r\n\r\n")[2])["emails"][0]["id"]
        yield from events_of(first, first.replace("-", ""), secret)


def _answer(app: Any, calls: Sequence[bytes]) -> list[bytes]:
    config = Config()
    # As gunicorn.conf.py has it: no caller's headers are believed but TRUSTED_PROXIES'.
    config.set("forwarded_allow_ips", "")
    keep_settings(config)
    worker = SimpleNamespace(cfg=config, alive=True, wsgi=app, handle_error=_raise)
    return [make_answer(worker, _connection(call), call, False).data for call in calls]


def _connection(call: bytes) -> Any:
    incoming = Incoming()
    incoming.feed(call)
    return SimpleNamespace(client=("127.0.0.1", 1), server=("127.0.0.1", 2), incoming=incoming)


def _raise(request: object, sink: object, client: object, fault: Exception) -> None:
    raise fault


if __name__ == "__main__":
    given = command_line(__doc__, ("events", "profile"))
    sys.exit(main(EVENT if given["events"] else SIGNUP, given["profile"]))
