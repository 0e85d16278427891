"""`flask replies`: list replies, and forward them."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext

from funnel_app.commands.person import note
from funnel_app.commands.plain_text import said_plainly, say
from funnel_app.commands.tables import newest_first, show_by_id
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.flows.console.named import name_reply
from funnel_app.flows.replies.history import FORWARDS, KINDS, NotForwardable, forward_again, list_received

CHOICES = click.Choice(sorted(KINDS))


@click.group("replies", cls=WholeHelp)
def group() -> None:
    """List replies to our emails, and forward them."""


@group.command("list")
@click.option("--kind", type=CHOICES, help="Only emails of this kind.")
@newest_first
@click.option("--json", "as_json", is_flag=True, help="Print only JSON, with the texts.")
@with_appcontext
def show_list(kind: str | None, limit: int, as_json: bool) -> None:
    """List incoming emails, and what became of each."""
    deps = current_deps()
    rows = list_received(deps.reads, kind, limit)
    if as_json:
        say(json.dumps(rows, indent=2))
        return
    zone = ZoneInfo(deps.settings.timezone)
    show_by_id("what came", rows, lambda row: _line(row, zone))
    if not deps.settings.reply_forward_to:
        say("REPLY_FORWARD_TO is not set: nothing goes on to a mailbox of yours.")


def _line(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(row["at"]).astimezone(zone)
    became = [KINDS.get(row["kind"] or "", "not read yet"), *(f"ended {each['sequence']}" for each in row["ended"])]
    became += [words for words in (FORWARDS[row["forward"]], row["note"]) if words]
    return f"{at:%d %b %Y %H:%M:%S} {row['from']}: {row['subject'] or 'no subject'}\n{'; '.join(became)}"


@group.command("forward")
@click.argument("reply", type=click.UUID)
@with_appcontext
def forward(reply: UUID) -> None:
    """Forward to REPLY_FORWARD_TO an email that was not forwarded, or that the mailbox refused."""
    with said_plainly(NotForwardable):
        sender = forward_again(current_deps(), reply)
    named, contact_id = name_reply(current_deps(), reply)
    note("forward_reply", f"sent {named} on", contact_id=contact_id)
    say(f"What {sender} wrote goes on within seconds.")
