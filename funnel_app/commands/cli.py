"""The command line: every command that fails prints one sentence with the fix, and exits with 1."""

from collections.abc import Callable, Mapping
from copy import copy
from pkgutil import resolve_name
from typing import Any

import click
from flask.cli import AppGroup, ScriptInfo
from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from funnel_app.commands.plain_text import printable
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger.database import revision
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.ledger.database.troubles import UnfitDatabase, explain

CURE = "run flask --app wsgi db upgrade"
LOOK = "flask --app wsgi doctor looks at everything"
# By name, so that the web process does not load what only commands use.
COMMANDS: Mapping[str, str] = {
    "calendly": "funnel_app.commands.calendly:group",
    "campaigns": "funnel_app.commands.campaigns:group",
    "contacts": "funnel_app.commands.contacts:group",
    "db": "funnel_app.commands.db:group",
    "doctor": "funnel_app.commands.doctor:doctor_command",
    "emails": "funnel_app.commands.emails:group",
    "enrol": "funnel_app.commands.enrol:enrol_command",
    "events": "funnel_app.commands.events:group",
    "hooks": "funnel_app.commands.hooks:group",
    "leads": "funnel_app.commands.leads:group",
    "ledger": "funnel_app.commands.ledger:group",
    "notion": "funnel_app.commands.notion:group",
    "replies": "funnel_app.commands.replies:group",
    "resend": "funnel_app.commands.resend:group",
    "log": "funnel_app.commands.log:log_command",
    "sending": "funnel_app.commands.sending:group",
    "setup": "funnel_app.commands.setup:setup_command",
    "simulate": "funnel_app.commands.simulate:simulate_command",
    "templates": "funnel_app.commands.templates:group",
    "trace": "funnel_app.commands.trace:trace_command",
    "variables": "funnel_app.commands.variables:variables_command",
}


class CommandLine(WholeHelp, AppGroup):
    """The application's commands, each of which reports an unreachable ledger or provider in one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command that ends with a sentence instead of a traceback."""
        return _plain(own_command(cmd_name)) if cmd_name in COMMANDS else super().get_command(ctx, cmd_name)


def own_command(name: str) -> click.Command:
    """Return one of Funnel's commands as its module defines it."""
    command: click.Command = resolve_name(COMMANDS[name])
    return command


def _plain(command: click.Command) -> click.Command:
    # A copy, since all applications of this process share the command.
    plain = copy(command)
    plain.invoke = _saying_why(command.invoke)  # type: ignore[method-assign, assignment]
    return plain


def _saying_why(invoke: Callable[[click.Context], Any]) -> Callable[[click.Context], Any]:
    def invoke_plainly(ctx: click.Context) -> Any:
        try:
            return invoke(ctx)
        except LedgerUnavailable as error:
            with ctx.ensure_object(ScriptInfo).load_app().app_context():
                why = why_unusable(current_deps().engine, error)
            if why is None:
                raise
            raise click.ClickException(why) from None
        except UnfitDatabase as error:
            raise click.ClickException(str(error)) from None
        except GatewayError as error:
            raise click.ClickException(printable(f"{error}. {LOOK}.")) from None
        except click.UsageError:
            raise
        except click.ClickException as error:
            raise click.ClickException(printable(error.message)) from None

    return invoke_plainly


def why_unusable(engine: Engine, error: Exception) -> str | None:
    """Return in one sentence why the ledger is unusable and what to do; None if the fault is in our code."""
    words = explain(error)
    try:
        at, ready = revision.current(engine), revision.at_head(engine)
    except LedgerUnavailable:
        return f"The ledger cannot be reached ({words}): see that DATABASE_URL is right and that its database is there."
    if not ready:
        state = f"is at {at}, not at {revision.head()}" if at else "that DATABASE_URL names is empty"
        return f"The ledger {state} ({words}): {CURE}, or set DATABASE_URL to the one that you mean."
    if isinstance(error, ProgrammingError):
        return None
    return f"The ledger cannot be used ({words}): {LOOK}."
