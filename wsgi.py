"""The web process: settings, collaborators, application (`gunicorn wsgi:app`, `flask --app wsgi`)."""

import sys

from flask import Flask

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
from funnel_app.environment import NotReadable
from jobs.first_step import start
from jobs.importing import imported

# By its name, since it imports everything: faulty settings, and how a command is called, are told long before.
MAKE = "jobs.application:make"


def _build() -> Flask:
    if asks_for_setup(sys.argv):
        return with_setup_alone()
    if asks_for_help(sys.argv):
        return with_commands_alone()
    try:
        stand_ins = stand_in(sys.argv)
        settings = without(start(prints=is_own_command(sys.argv)), stand_ins)
        made: Flask = imported(MAKE)(settings if stand_ins else None)
    except (ConfigError, NotReadable) as fault:
        sys.exit(str(fault))
    return made


app = _build()
