"""The web process: settings, collaborators, application (`gunicorn wsgi:app`, `flask --app wsgi`)."""

import sys

from flask import Flask

from funnel_app.app import create_app
from funnel_app.commands.alone import (
    asks_for_help,
    asks_for_setup,
    is_own_command,
    stand_in,
    with_commands_alone,
    with_setup_alone,
    without,
)
from funnel_app.config import ConfigError
from funnel_app.deps import build_deps
from funnel_app.environment import NotReadable
from jobs.first_step import start
from jobs.process import deps


def _build() -> Flask:
    if asks_for_setup(sys.argv):
        return with_setup_alone()
    if asks_for_help(sys.argv):
        return with_commands_alone()
    try:
        stand_ins = stand_in(sys.argv)
        settings = without(start(prints=is_own_command(sys.argv)), stand_ins)
        return create_app(build_deps(settings) if stand_ins else deps())
    except (ConfigError, NotReadable) as fault:
        sys.exit(str(fault))


app = _build()
