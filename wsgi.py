"""The web process: settings, collaborators, application (`gunicorn wsgi:app`, `flask --app wsgi`)."""

import sys

from flask import Flask

from funnel_app.app import create_app
from funnel_app.commands.alone import asks_for_setup, stand_in, with_setup_alone, without
from funnel_app.config import ConfigError
from funnel_app.deps import build_deps
from jobs.settings import start


def _build() -> Flask:
    if asks_for_setup(sys.argv):
        return with_setup_alone()
    stand_ins = stand_in(sys.argv)
    settings = without(start(), stand_ins)
    try:
        # For commands. Whoever serves is given its own after the fork (`gunicorn.conf.py`): none of these is open yet.
        return create_app(build_deps(settings))
    except ConfigError as fault:
        sys.exit(str(fault))


app = _build()
