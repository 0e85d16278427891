"""`flask trace EMAIL`: what happened to one person, and what comes next."""

import json
import sys
from typing import Any

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from funnel_app.current import current_deps
from funnel_app.flows.trace import trace

COLOURS = {
    "delivered": "green",
    "planned": "cyan",
    "sending": "yellow",
    "sent": "yellow",
    "held": "bold red",
    "ambiguous": "bold red",
    "delayed": "yellow",
    "bounced": "red",
    "complained": "red",
    "failed": "red",
}


@click.command("trace")
@click.argument("email")
@click.option("--json", "as_json", is_flag=True, help="Only JSON on stdout.")
@with_appcontext
def trace_command(email: str, as_json: bool) -> None:
    """Tell the whole story of EMAIL; exit 1 where nobody has that address."""
    story = trace(current_deps(), email)
    if as_json:
        click.echo(json.dumps(story, indent=2))
    else:
        _tell(story, email)
    sys.exit(0 if story["contact"] else 1)


def _tell(story: dict[str, Any], email: str) -> None:
    console = Console(highlight=False)
    contact = story["contact"]
    if contact is None:
        console.print(f"Nobody with the address {escape(email)} ever came in through a hook.")
        return
    name = contact["first_name"] or "no name given"
    console.print(f"\n[bold]{escape(contact['email'])}[/]  {escape(name)}, known since {contact['created_at']}\n")
    for hook in story["hooks"]:
        console.print(Text(f"  {hook['at']}  hook {hook['hook']} ({hook['event'] or 'unknown'}): {_outcome(hook)}"))
    for enrolment in story["enrolments"]:
        _tell_enrolment(console, enrolment)


def _outcome(hook: dict[str, Any]) -> str:
    return f"{hook['outcome']}, {hook['reason']}" if hook["reason"] else str(hook["outcome"])


def _tell_enrolment(console: Console, enrolment: dict[str, Any]) -> None:
    mode = " (testing mode)" if enrolment["mode"] == "test" else ""
    console.print(f"\n  [bold]{enrolment['campaign']} / {enrolment['sequence']}[/]  {enrolment['state']}{mode}")
    for email in enrolment["emails"]:
        colour = COLOURS.get(email["state"], "dim")
        reason = f"  {escape(email['reason'])}" if email["reason"] else ""
        console.print(f"    {email['step']}. {email['template']:<26} [{colour}]{email['state']:<10}[/]{reason}")
        for event in email["events"]:
            console.print(Text(f"         {event['at']}  {event['kind']}  {event['detail'] or ''}".rstrip(), "dim"))
    console.print(f"    [italic]{escape(enrolment['sentence'])}[/]")
