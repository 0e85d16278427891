"""The web process: settings, collaborators, application (`gunicorn wsgi:app`, `flask --app wsgi`)."""

import sys

from flask import Flask

from funnel_app.app import create_app
from funnel_app.commands.alone import (
    asks_for_help,
    asks_for_setup,
    stand_in,
    with_commands_alone,
    with_setup_alone,
    without,
)
from funnel_app.config import ConfigError
from funnel_app.deps import build_deps
from jobs.process import deps
from jobs.settings import start


def _build() -> Flask:
    if asks_for_setup(sys.argv):
        return with_setup_alone()
    if asks_for_help(sys.argv):
        return with_commands_alone()
    stand_ins = stand_in(sys.argv)
    settings = without(start(), stand_ins)
    try:
        return create_app(build_deps(settings) if stand_ins else deps())
    except ConfigError as fault:
        sys.exit(str(fault))


app = _build()
