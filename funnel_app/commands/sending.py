"""`flask sending`: pause or resume all sending or one sequence."""

import click
from flask.cli import with_appcontext

from funnel_app.campaigns.spoken import sentence
from funnel_app.commands.person import who
from funnel_app.commands.plain_text import said_plainly, say
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.flows.console.intervene import NotPossible
from funnel_app.flows.console.pausing import (
    ALL,
    RULES,
    PauseRequest,
    going_now,
    list_pauses,
    meaning,
    pause_sending,
    resume_sending,
)
from funnel_app.ledger.operator_actions import COMMAND_LINE


@click.group("sending", cls=WholeHelp)
def group() -> None:
    """Pause all sending or one sequence, with a reason and an end, or resume it."""


@group.command("pause")
@click.argument("what", default=ALL)
@click.option("--reason", required=True, help="The reason in a few words, shown to everybody.")
@click.option("--until", default="", help='"Monday 09:00", "17:00" or "2026-11-30 09:00" on the business\'s clocks.')
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@with_appcontext
def pause(what: str, reason: str, until: str, yes: bool) -> None:
    """Pause WHAT: by default all sending, or a SEQUENCE (or CAMPAIGN/SEQUENCE)."""
    deps, asked = current_deps(), PauseRequest(what, reason, until)
    with said_plainly(NotPossible):
        would = meaning(deps, asked, who())
    if not yes:
        say(f"{RULES}\n{would.in_numbers}")
        click.confirm("Pause it?", abort=True)
    with said_plainly(NotPossible):
        said = pause_sending(deps, asked, who(), COMMAND_LINE)
    say(f"{sentence(said)} {would.in_numbers}")


@group.command("resume")
@click.argument("what", default=ALL)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@with_appcontext
def resume(what: str, yes: bool) -> None:
    """Resume WHAT: by default all sending, or a SEQUENCE (or CAMPAIGN/SEQUENCE)."""
    if not yes:
        with said_plainly(NotPossible):
            say(going_now(current_deps(), what))
        click.confirm("Resume it?", abort=True)
    with said_plainly(NotPossible):
        said = resume_sending(current_deps(), what, who(), COMMAND_LINE)
    say(sentence(said))


@group.command("show")
@with_appcontext
def show() -> None:
    """Show what is paused now, by whom, until when and why."""
    found = list_pauses(current_deps()).standing
    for _, words in found:
        say(sentence(words))
    if not found:
        say("Nothing is paused.")
