"""The web part: gunicorn, and what each of its workers does before it serves."""

import sys

from flask import Flask
from gunicorn.app.wsgiapp import WSGIApplication

from funnel_app.current import keep_deps
from funnel_app.web.watchdog import look_out
from jobs.process import deps


def run() -> None:
    """Serve as `gunicorn wsgi:app` does, in this process, with the settings of `gunicorn.conf.py`."""
    sys.argv = ["gunicorn", "wsgi:app"]
    WSGIApplication("%(prog)s [OPTIONS] [APP_MODULE]", prog="gunicorn").run()


def serve(app: Flask) -> None:
    """Hand the application the collaborators of this process, made after its fork, and start the lookout."""
    keep_deps(app, deps())
    look_out(deps())
