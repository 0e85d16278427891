"""`flask hooks`: list incoming calls, and replay refused ones."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext

from funnel_app.commands.person import note
from funnel_app.commands.plain_text import AS_JSON, said_plainly, say
from funnel_app.commands.tables import newest_first, show_by_id
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.flows.console.named import name_call
from funnel_app.flows.intake.received_calls import find_hook, list_hooks
from funnel_app.replay import NotReplayable
from funnel_app.replay import replay as replay_call

OUTCOMES = click.Choice(["accepted", "duplicate", "ignored", "refused"])


@click.group("hooks", cls=WholeHelp)
def group() -> None:
    """List incoming calls, and replay refused ones."""


@group.command("list")
@click.option("--outcome", type=OUTCOMES, help="Only calls with this outcome.")
@newest_first
@AS_JSON
@with_appcontext
def show_list(outcome: str | None, limit: int, as_json: bool) -> None:
    """List the newest calls."""
    deps = current_deps()
    rows = list_hooks(deps.reads, outcome, limit)
    if as_json:
        say(json.dumps(rows, indent=2))
        return
    zone = ZoneInfo(deps.settings.timezone)
    show_by_id("call", rows, lambda row: _line(row, zone))


def _line(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    reason = f": {row['reason']}" if row["reason"] else ""
    at = datetime.fromisoformat(row["at"]).astimezone(zone)
    return f"{at:%d %b %Y %H:%M:%S} {row['hook']} of {row['email'] or 'nobody'}, {row['outcome']}{reason}"


@group.command("show")
@click.argument("hook_id", type=click.UUID)
@with_appcontext
def show_one(hook_id: UUID) -> None:
    """Show one call with its payload, its faults and its answer, as JSON."""
    say(json.dumps(_find(hook_id), indent=2))


@group.command("replay")
@click.argument("hook_ids", type=click.UUID, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All refused calls that were not replayed yet.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Correct a field of the payload first; payload.email is a nested field.",
)
@with_appcontext
def replay(hook_ids: tuple[UUID, ...], everything: bool, changes: tuple[str, ...]) -> None:
    """Replay refused calls, dated as they first came in; exit 1 if one is refused again."""
    ids = [*hook_ids, *(_waiting() if everything else [])]
    if not ids:
        raise click.UsageError("Name the calls to replay, or say --all.")
    answers = [_replay(hook_id, _corrected(changes)) for hook_id in ids]
    sys.exit(0 if all(answers) else 1)


def _find(hook_id: UUID) -> dict[str, Any]:
    found = find_hook(current_deps().reads, hook_id)
    if found is None:
        raise click.ClickException(f"There is no call {hook_id}; see flask hooks list.")
    return found


def _waiting() -> list[UUID]:
    rows = list_hooks(current_deps().reads, "refused", 1000)
    # Oldest first, so that a person's latest call wins.
    return [UUID(row["id"]) for row in reversed(rows) if row["kept"] and row["waits"]]


def _corrected(changes: tuple[str, ...]) -> dict[str, Any]:
    pairs = [change.partition("=") for change in changes]
    return {name: _plain(value) for name, _, value in pairs}


def _plain(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _replay(hook_id: UUID, changes: dict[str, Any]) -> bool:
    with said_plainly(NotReplayable):
        replayed = replay_call(hook_id, changes)
    note("replay", f"{name_call(current_deps(), hook_id)}: {replayed.status}")
    say(f"{hook_id}  {replayed.status}: {replayed.words}")
    return replayed.taken
