"""The web process: gunicorn, and what each of its workers does before it serves."""

import sys

from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from funnel_app.web.watchdog import look_out
from jobs.parent import Part
from jobs.process import deps
from jobs.web_worker import BufferingWorker


def web_part() -> Part:
    """Return what serves like `gunicorn wsgi:app`, with `gunicorn.conf.py` read now."""
    sys.argv = ["gunicorn", "wsgi:app"]
    # Before the fork, since it configures logs: alone in its process that took 6 MB.
    return Part("web", Arbiter(WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]", prog="gunicorn")).run)


def begin(worker: BufferingWorker) -> None:
    """Start a web process's background work; call it after its fork."""
    worker.crowd = deps().crowd
    worker.crowd.at_once = worker.cfg.threads
    look_out(deps())


def end(worker: Worker) -> None:
    """Let the others take the callers that a process which is gone would have taken; call it in the parent."""
    if isinstance(worker, BufferingWorker):
        worker.share.leave()
