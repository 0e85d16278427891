"""`flask log`: what operators did, in the console and on the command line."""

import json
from dataclasses import asdict
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext
from rich.markup import escape

from funnel_app.commands.plain_text import AS_JSON, say
from funnel_app.commands.tables import folded, newest_first
from funnel_app.commands.terminal import Terminal
from funnel_app.current import current_deps
from funnel_app.flows.console.actions import Done, list_actions


@click.command("log")
@click.option("--operator", default="", help="Only this person's actions.")
@newest_first
@AS_JSON
@with_appcontext
def log_command(operator: str, limit: int, as_json: bool) -> None:
    """List who did what, when, to whom and from where, newest first."""
    deps = current_deps()
    rows = list_actions(deps.reads, operator=operator, limit=limit).rows
    if as_json:
        say(json.dumps([{**asdict(row), "at": row.at.isoformat()} for row in rows], indent=2, default=str))
        return
    table = folded("when", "who, from where", "what", show_lines=True)
    for row in rows:
        table.add_row(*map(escape, _cells(row, ZoneInfo(deps.settings.timezone))))
    Terminal().print(table)


def _cells(row: Done, zone: ZoneInfo) -> tuple[str, str, str]:
    whom = f" ({row.whom})" if row.whom else ""
    what = f"{row.action}: {row.detail}" if row.detail else row.action
    return f"{row.at.astimezone(zone):%d %b %Y %H:%M}", f"{row.operator}, {row.source}", f"{what}{whom}"
