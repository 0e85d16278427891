"""What runs without settings: one command creates them, others find out what to set, and all say what they take."""

import os
import secrets
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace

from flask import Flask

from funnel_app.commands.cli import COMMANDS, CommandLine, own_command
from funnel_app.config import Settings, examine_settings
from funnel_app.environment import find_file

NAME = "setup"
# Flask's own options that take a word: https://flask.palletsprojects.com/en/stable/cli/
WITH_WORD = frozenset({"--app", "-A", "--env-file", "-e"})
OF_FLASK = frozenset({"run", "shell", "routes"})
# The settings that each command needs.
FIRST_STEPS: Mapping[tuple[str, ...], frozenset[str]] = {
    ("notion", "init"): frozenset({"NOTION_TOKEN"}),
    ("resend", "webhooks"): frozenset({"RESEND_API_KEY", "PUBLIC_URL"}),
}
TEMPLATES, NOWHERE = "NOTION_TEMPLATES_DB_ID", "0" * 32


def asks_for_setup(arguments: Sequence[str]) -> bool:
    """Say whether the process's arguments ask for `flask setup`."""
    return command_of(arguments)[:1] == (NAME,)


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Say whether the process's arguments ask how a `flask` command is called, or name none that there is."""
    name, *_ = (*command_of(arguments), "")
    return _is_flask() and ("--help" in arguments or name not in {*COMMANDS, *OF_FLASK})


def is_own_command(arguments: Sequence[str]) -> bool:
    """Say whether this process runs one of Funnel's commands."""
    return not COMMANDS.keys().isdisjoint(command_of(arguments)[:1])


def command_of(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the words of the `flask` command being run; none if this is not `flask`."""
    if not _is_flask():
        return ()
    words, found = iter(arguments[1:]), []
    for word in words:
        if word in WITH_WORD:
            next(words, None)
        elif not word.startswith("-"):
            found.append(word)
    return tuple(found[:2])


def _is_flask() -> bool:
    return os.environ.get("FLASK_RUN_FROM_CLI") == "true"


def with_setup_alone() -> Flask:
    """Return an application that has only the setup command and serves nothing."""
    app = Flask(NAME)
    app.cli.add_command(own_command(NAME))
    return app


def with_commands_alone() -> Flask:
    """Return an application that can only say how its commands are called."""
    app = Flask("funnel")
    app.cli = CommandLine()
    return app


def stand_in(arguments: Sequence[str]) -> frozenset[str]:
    """Fill in placeholders for required settings that this command does not use; return their names."""
    needed = FIRST_STEPS.get(command_of(arguments))
    if needed is None:
        return frozenset()
    _, faults = examine_settings(find_file())
    made = {name: value for name, value in _stand_ins().items() if name in faults and name not in needed}
    os.environ.update(made)
    return frozenset(made)


def without(settings: Settings, stand_ins: frozenset[str]) -> Settings:
    """Return the settings for this command; a placeholder database counts as none."""
    return replace(settings, notion_templates_db_id="") if TEMPLATES in stand_ins else settings


def _stand_ins() -> dict[str, str]:
    secret = secrets.token_hex(32)
    texts = dict.fromkeys(("SECRET_KEY", "HOOK_SECRET", "CONSOLE_PASSWORD", "RESEND_API_KEY", "NOTION_TOKEN"), secret)
    return texts | {
        "PUBLIC_URL": "http://127.0.0.1",
        "TESTING_MODE": "true",
        "RESEND_WEBHOOK_SECRET": f"whsec_{b64encode(secret.encode()).decode()}",
        "FROM_EMAIL": "nobody@funnel.example",
        TEMPLATES: NOWHERE,
        "COMPANY_NAME": "-",
        "COMPANY_ADDRESS": "-",
    }
