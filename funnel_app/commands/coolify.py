"""`python -m funnel_app.commands.coolify plan|apply`: deploy to Coolify as coolify.json says.

Needs none of Funnel's settings; the values it passes on come from a file or the environment.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from funnel_app.commands.plain_text import said_plainly, say
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.deploy.apply import Rollout, deploy
from funnel_app.deploy.coolify_api import Coolify
from funnel_app.deploy.descriptor import NotApplicable, Source, read_descriptor
from funnel_app.environment import cut_off, faults_in, plain_values, read_file
from funnel_app.gateways.errors import GatewayError
from funnel_app.setting_meanings import MEANINGS

Command = Callable[..., None]


def _setting(name: str, setting: str, **more: Any) -> Callable[[Command], Command]:
    return click.option(name, envvar=setting, show_envvar=True, **more)


OPTIONS = (
    _setting("--url", "COOLIFY_URL", required=True, help="Coolify's address."),
    _setting("--token", "COOLIFY_TOKEN", required=True, help="A token that may read, write and deploy."),
    click.option("--file", default="coolify.json", show_default=True, type=click.Path(path_type=Path)),
    click.option(
        "--env-file",
        type=click.Path(exists=True, path_type=Path),
        help="A file with the settings; by default the environment.",
    ),
    _setting("--repository", "COOLIFY_REPOSITORY", help="The code's repository, for the first deployment."),
    _setting("--private-key", "COOLIFY_PRIVATE_KEY_UUID", help="The uuid of a deploy key."),
    _setting("--github-app", "COOLIFY_GITHUB_APP_UUID", help="The uuid of a GitHub app."),
    _setting("--server", "COOLIFY_SERVER", help="The server's name, if there are several."),
    click.option("--resend-values", is_flag=True, help="Also set values that the token may not read."),
)


def _options(command: Command) -> Command:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


FAULTS = (NotApplicable, GatewayError, OSError)


@click.group(cls=WholeHelp)
def group() -> None:
    """Deploy Funnel to Coolify."""


@group.command()
@_options
def plan(**given: object) -> None:
    """Show what apply would change, and change nothing."""
    with said_plainly(*FAULTS):
        rollout = _rollout(given, act=False)
        rollout.run()
    _show(rollout)
    say(f"{len(rollout.changes)} to change. Run apply to do it." if rollout.changes else "Nothing to change.")


@group.command()
@_options
@click.option("--deploy", "always", is_flag=True, help="Deploy even if nothing changed.")
@click.option("--no-deploy", "never", is_flag=True, help="Apply changes without deploying.")
def apply(always: bool, never: bool, **given: object) -> None:
    """Change what differs, then deploy if anything did; exit 1 if the deployment does not finish."""
    with said_plainly(*FAULTS):
        rollout = _rollout(given, act=True)
        application = rollout.run()
        _show(rollout)
        say(f"{len(rollout.changes)} changed." if rollout.changes else "Nothing to change.")
        if application is None or never or not (rollout.changes or always):
            return
        status = deploy(rollout.coolify, application, time.sleep)
    say(f"The deployment is {status}.")
    sys.exit(0 if status == "finished" else 1)


def _rollout(given: Mapping[str, object], act: bool) -> Rollout:
    text = {name: str(value) for name, value in given.items() if value is not None}
    source = Source(text.get("repository"), text.get("private_key"), text.get("github_app"), text.get("server"))
    file = text.get("env_file")
    values = plain_values(read_file(Path(file)) if file else os.environ)
    own = {name: value for name, value in values.items() if name in MEANINGS}
    if faults := faults_in(own, list(cut_off(Path(file))) if file else ()):
        raise NotApplicable("\n".join(f"{name} {why}" for name, why in faults.items()))
    wanted = read_descriptor(Path(text["file"]).read_text("utf-8"))
    coolify = Coolify(text["url"], text["token"])
    return Rollout(coolify, wanted, values, source, act, resend_values=bool(given["resend_values"]))


def _show(rollout: Rollout) -> None:
    for change in rollout.changes:
        say(f"  {change.what:<38} {change.detail}")


if __name__ == "__main__":
    group()
