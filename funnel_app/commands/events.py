"""`flask events`: events about leads that are sent to other systems, and sending them again."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext

from funnel_app.campaigns.spoken import things
from funnel_app.commands.person import note
from funnel_app.commands.plain_text import AS_JSON, say
from funnel_app.commands.tables import newest_first, show_by_id
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.flows.outbox import history
from funnel_app.flows.outbox.receiver_status import find_receivers
from funnel_app.ledger.models.outbox import Standing

STATES = click.Choice([standing.value for standing in Standing])


@click.group("events", cls=WholeHelp)
def group() -> None:
    """List or resend the events about leads that go to EVENTS_WEBHOOK_URL."""


@group.command("list")
@click.option("--state", type=STATES, help="Only events in this state.")
@newest_first
@AS_JSON
@with_appcontext
def show_list(state: str | None, limit: int, as_json: bool) -> None:
    """List the newest events and each receiver's state."""
    deps = current_deps()
    rows = history.list_events(deps, state, limit)
    if as_json:
        say(json.dumps(rows, indent=2))
        return
    zone = ZoneInfo(deps.settings.timezone)
    show_by_id("event", rows, lambda row: _line(row, zone))
    for each in find_receivers(deps):
        say(f"{each.host}: {each.waiting:,} waiting" + (f"; it {each.error}" if each.error else ""))
    if not deps.settings.events_webhook_urls:
        say("EVENTS_WEBHOOK_URL is not set: nobody is told.")


def _line(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(row["at"]).astimezone(zone)
    state = row["state"].replace("_", " ")
    tries = f" after {row['attempts']} tries" if row["attempts"] > 1 else ""
    why = f": {row['error']}" if row["error"] else ""
    return f"{at:%d %b %Y %H:%M:%S} {row['type']} of {row['lead']} for {row['receiver']}, {state}{tries}{why}"


@group.command("replay")
@click.argument("ids", type=click.UUID, nargs=-1)
@click.option("--given-up", is_flag=True, help="All events that were given up.")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M"]), help="All events since a time (business's zone)."
)
@with_appcontext
def replay(ids: tuple[UUID, ...], given_up: bool, since: datetime | None) -> None:
    """Send events again, with the same ids."""
    deps = current_deps()
    if sum((bool(ids), given_up, since is not None)) != 1:
        raise click.UsageError("Name the events, or say --given-up, or --since a time.")
    if since is not None:
        number = history.publish_since(deps, since.replace(tzinfo=ZoneInfo(deps.settings.timezone)).astimezone(UTC))
    else:
        number = history.publish_given_up(deps) if given_up else history.publish_again(deps, ids)
    if ids and not number:
        raise click.ClickException("No such event is settled; those that wait are told by themselves.")
    note("tell_again", things(number, "event"))
    say(f"{things(number, 'event')} {'is' if number == 1 else 'are'} told again.")
