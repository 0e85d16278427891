"""The web process: gunicorn, and what each of its workers does before it serves."""

import signal
import sys
from contextlib import suppress
from queue import Empty

from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from funnel_app.web.watchdog import look_out
from jobs.parent import Part
from jobs.process import deps
from jobs.web_worker import BufferingWorker

# What gunicorn's arbiter asks its workers to stop with, and is asked with itself.
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


def web_part() -> Part:
    """Return what serves like `gunicorn wsgi:app`, with `gunicorn.conf.py` read now."""
    sys.argv = ["gunicorn", "wsgi:app"]
    # Before the fork, since it configures logs: alone in its process that took 6 MB.
    return Part("web", Arbiter(WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]", prog="gunicorn")).run)


def heed_stops(arbiter: Arbiter) -> None:
    """End this worker where it is asked to stop before it listens; call it right after its fork.

    Until then the handlers are its arbiter's, which asks once, and would kill it after seven seconds.
    """
    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)
    with suppress(Empty):
        while arbiter.SIG_QUEUE.get_nowait() not in STOPS:
            continue
        sys.exit()


def begin(worker: BufferingWorker) -> None:
    """Start a web process's background work; call it after its fork."""
    worker.crowd = deps().crowd
    worker.crowd.at_once = worker.cfg.threads
    look_out(deps())


def end(worker: Worker) -> None:
    """Let the others take the callers that a process which is gone would have taken; call it in the parent."""
    if isinstance(worker, BufferingWorker):
        worker.share.leave()
