"""The one command that runs before there are settings: an application that has it and nothing else."""

import os
from collections.abc import Sequence

from flask import Flask

from funnel_app.commands.cli import own_command

NAME = "setup"
# Flask's own options that take a word: https://flask.palletsprojects.com/en/stable/cli/
WITH_WORD = frozenset({"--app", "-A", "--env-file", "-e"})


def asks_for_setup(arguments: Sequence[str]) -> bool:
    """Say whether this is `flask setup`, by the arguments of the process."""
    if os.environ.get("FLASK_RUN_FROM_CLI") != "true":
        return False
    words = iter(arguments[1:])
    for word in words:
        if word in WITH_WORD:
            next(words, None)
        elif not word.startswith("-"):
            return word == NAME
    return False


def with_setup_alone() -> Flask:
    """Return an application that can be set up, and serves nothing."""
    app = Flask(NAME)
    app.cli.add_command(own_command(NAME))
    return app
