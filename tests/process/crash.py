"""Run one of Funnel's processes, and kill it as the kernel would at one point on an email's way.

`python -m tests.process.crash <point> <marker>`: the first process to come to the point makes the marker and dies;
whoever comes there later goes on, so that a web worker that gunicorn starts again serves the caller's retry.
"""

import importlib
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from gunicorn.app.wsgiapp import run as run_gunicorn

from jobs.first_step import start
from jobs.scheduler import main as run_scheduler
from jobs.worker import run as run_worker


@dataclass(frozen=True)
class Point:
    """A call on the way, and whether death comes before it or after it."""

    process: str
    path: str
    after: bool


POINTS = {
    "after the commit, before scheduling": Point("web", "funnel_app.flows.intake.enrol:schedule", after=False),
    "after scheduling, before the answer to the caller": Point(
        "web", "funnel_app.flows.intake.enrol:schedule", after=True
    ),
    "after the claim": Point("worker", "funnel_app.flows.sending.deliver:_claim", after=True),
    "after the freeze": Point("worker", "funnel_app.flows.sending.deliver:freeze", after=True),
    "before the call to Resend": Point("worker", "funnel_app.gateways.resend.mailer:Mailer.send", after=False),
    "after Resend's answer, before our record": Point(
        "worker", "funnel_app.flows.sending.deliver:apply_response", after=False
    ),
    "after our record": Point("worker", "funnel_app.flows.sending.deliver:apply_response", after=True),
    "after the clock moved a job": Point("scheduler", "funnel_app.gateways.redis.job_clock:Clock._move", after=True),
    "after a receiver took an event, before our record": Point(
        "scheduler", "funnel_app.flows.outbox.publish:_settle", after=False
    ),
    "before the clock moves a job": Point("scheduler", "funnel_app.gateways.redis.job_clock:Clock._move", after=False),
}


def main(name: str, marker: Path) -> None:
    """Set the trap and become the process."""
    point = POINTS[name]
    _set_trap(point, marker)
    if point.process == "web":
        sys.argv = ["gunicorn", "wsgi:app", "--threads", "4"]
        run_gunicorn()
    elif point.process == "scheduler":
        run_scheduler()
    else:
        start()
        run_worker()


def _set_trap(point: Point, marker: Path) -> None:
    module, _, dotted = point.path.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, last = dotted.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    setattr(owner, last, _trapped(getattr(owner, last), point.after, marker))


def _trapped(call: Callable[..., Any], after: bool, marker: Path) -> Callable[..., Any]:
    @wraps(call)
    def trapped(*args: Any, **kwargs: Any) -> Any:
        if not after:
            _die_once(marker)
        result = call(*args, **kwargs)
        if after:
            _die_once(marker)
        return result

    return trapped


def _die_once(marker: Path) -> None:
    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
