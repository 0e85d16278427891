"""`flask replies`: what people wrote back, and sending it on."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext

from funnel_app.commands.tables import newest_first, show_by_id
from funnel_app.commands.terminal import say
from funnel_app.current import current_deps
from funnel_app.flows.replies.history import FORWARDS, KINDS, NotForwardable, forward_again, list_received

CHOICES = click.Choice(sorted(KINDS))


@click.group("replies")
def group() -> None:
    """What people wrote back to our emails."""


@group.command("list")
@click.option("--kind", type=CHOICES, help="Only what is of this kind.")
@newest_first
@click.option("--json", "as_json", is_flag=True, help="Only JSON on stdout, with the texts.")
@with_appcontext
def show_list(kind: str | None, limit: int, as_json: bool) -> None:
    """List what people wrote, and what became of it."""
    deps = current_deps()
    rows = list_received(deps, kind, limit)
    if as_json:
        say(json.dumps(rows, indent=2))
        return
    zone = ZoneInfo(deps.settings.timezone)
    show_by_id("what came", rows, lambda row: _told(row, zone))
    if not deps.settings.reply_forward_to:
        say("REPLY_FORWARD_TO is not set: nothing goes on to a mailbox of yours.")


def _told(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(row["at"]).astimezone(zone)
    became = [KINDS.get(row["kind"] or "", "not read yet"), *(f"ended {each['sequence']}" for each in row["ended"])]
    became += [words for words in (FORWARDS[row["forward"]], row["note"]) if words]
    return f"{at:%d %b %Y %H:%M:%S} {row['from']}: {row['subject'] or 'no subject'}\n{'; '.join(became)}"


@group.command("forward")
@click.argument("reply", type=click.UUID)
@with_appcontext
def forward(reply: UUID) -> None:
    """Send one on to REPLY_FORWARD_TO that stayed here, or that the mailbox refused."""
    try:
        sender = forward_again(current_deps(), reply)
    except NotForwardable as fault:
        raise click.ClickException(str(fault)) from None
    say(f"What {sender} wrote goes on within seconds.")
