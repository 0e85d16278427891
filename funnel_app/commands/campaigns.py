"""`flask campaigns`: what is sent and when, and whether files, code, documents and Notion agree."""

import json
import sys
from collections.abc import Mapping
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from rich.markup import escape

from funnel_app.campaigns.sequence_rows import sequence_rows
from funnel_app.campaigns.spoken import things
from funnel_app.commands.plain_text import AS_JSON, say
from funnel_app.commands.replan import apply_command, plan_command
from funnel_app.commands.tables import folded
from funnel_app.commands.terminal import Terminal
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.flows.console.experiments import Experiment, experiments
from funnel_app.flows.console.sequences import limits, seasons_now
from funnel_app.flows.monitoring.verify import FAULT, OK, Check, verify
from funnel_app.flows.simulation.play_year import Rehearsed, rehearse

COLOURS = {"ok": "green", "warning": "yellow", "fault": "bold red", "skipped": "yellow"}


@click.group("campaigns", cls=WholeHelp, invoke_without_command=True)
@AS_JSON
@click.pass_context
@with_appcontext
def group(context: click.Context, as_json: bool) -> None:
    """List every sequence of the campaign files with its handler, hook, steps and times."""
    if context.invoked_subcommand is not None:
        return
    rows = sequence_rows(current_deps().registry)
    if as_json:
        say(json.dumps(rows, indent=2, default=str))
        return
    table = folded("sequence", "starts on", "due; in testing mode", title="Campaigns", show_lines=True)
    for row in rows:
        table.add_row(*map(escape, _cells(row)))
    Terminal().print(table)
    for title, words in [*seasons_now(current_deps()), *limits(current_deps())]:
        say(f"{title}: {words}")


group.add_command(plan_command)
group.add_command(apply_command)


@group.command("verify")
@click.option(
    "--simulate/--no-simulate",
    default=True,
    help="Also play every sequence through the year (the default; takes seconds).",
)
@AS_JSON
@with_appcontext
def verify_command(simulate: bool, as_json: bool) -> None:
    """Compare what files, code, documents and Notion say is sent, and when; exit 1 on a fault."""
    checks = verify(current_deps(), {rule.rule for rule in current_app.url_map.iter_rules()})
    checks += [_as_check(each) for each in rehearse(current_deps())] if simulate else []
    faults = [check for check in checks if check.status == FAULT]
    if as_json:
        say(json.dumps({"ok": not faults, "checks": [check.as_json() for check in checks]}, indent=2))
    else:
        table = folded("check", "status", "detail")
        for check in checks:
            table.add_row(check.name, f"[{COLOURS[check.status]}]{check.status}[/]", escape(check.detail))
        Terminal().print(table)
        say(f"{len(checks) - len(faults)} of {len(checks)} checks without a fault.")
    sys.exit(1 if faults else 0)


@group.command("experiments")
@AS_JSON
@with_appcontext
def experiments_command(as_json: bool) -> None:
    """Show the steps that compare two texts: how many readers of each went on, and is the difference chance?"""
    found = experiments(current_deps())
    if as_json:
        say(json.dumps([_as_json(each) for each in found], indent=2))
        return
    for each in found:
        say(f"{each.step.title} ({each.sequence.campaign}/{each.sequence.name} {each.step.number}): {each.verdict}")
        for variant in each.variants:
            low, high = variant.went_on.within
            counted = f"{variant.went_on.did} of {variant.went_on.of} readers went on"
            say(f"  {variant.key}: {counted}; the true share lies within {low:.1%} and {high:.1%}")
    if not found:
        say("No step compares two texts: docs/experiments.md says how to.")


def _as_json(each: Experiment) -> dict[str, Any]:
    rows = [
        {"template": row.key, "readers": row.went_on.of, "went_on": row.went_on.did, "within": row.went_on.within}
        for row in each.variants
    ]
    names = {"campaign": each.campaign.name, "sequence": each.sequence.name, "step": each.step.number}
    return {**names, "templates": rows, "verdict": each.verdict}


def _as_check(played: Rehearsed) -> Check:
    name = f"simulation {played.campaign}/{played.sequence}"
    if played.warnings:
        return Check(name, FAULT, "; ".join(played.warnings))
    return Check(name, OK, f"begun on {things(played.starts, 'day')} of the year, nothing to stumble over")


def _cells(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return a sequence in three cells, which fit into 80 columns."""
    hook = f"{row['starts_on']}\n{row['hook']}" + (f"\n{row['legacy_id']}" if row["legacy_id"] else "")
    times = f"{', '.join(row['live'])}\n{', '.join(row['testing'])}"
    off_season = f"\n{row['off_season']}" if row["off_season"] else ""
    priority = f", priority {row['priority']}" if row["priority"] else ""
    return (
        f"{row['sequence']}\nof {row['campaign']}, {row['kind']}{priority}\n{row['handler']}{off_season}",
        hook,
        times,
    )
