"""The web part: gunicorn, and what each of its workers does before it serves."""

import sys

from gunicorn.app.wsgiapp import WSGIApplication

from funnel_app.web.watchdog import look_out
from jobs.parent import Part
from jobs.process import deps
from jobs.web_worker import BufferingWorker


def web_part() -> Part:
    """Return what serves as `gunicorn wsgi:app` does, with the settings of `gunicorn.conf.py`, read here and now."""
    sys.argv = ["gunicorn", "wsgi:app"]
    return Part("web", WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]", prog="gunicorn").run)


def begin(worker: BufferingWorker) -> None:
    """Start what each process of the web does beside answering; call it after its fork."""
    worker.crowd = deps().crowd
    look_out(deps())
