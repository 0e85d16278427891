"""`flask doctor`: what works, what does not, and how to fix it."""

import json
import sys
from pathlib import Path

import click
from flask.cli import with_appcontext
from rich.markup import escape

from funnel_app.campaigns.spoken import full_stop
from funnel_app.commands.plain_text import AS_JSON, say
from funnel_app.commands.tables import folded
from funnel_app.commands.terminal import Terminal
from funnel_app.current import current_deps
from funnel_app.flows.monitoring.check import standing, title_of_check
from funnel_app.flows.monitoring.doctor import Check, Status, examine, is_well
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.monitoring.signoff import report
from funnel_app.flows.monitoring.status.examination import Examination

COLOURS = {Status.OK: "green", Status.WARNING: "yellow", Status.FAULT: "bold red"}


@click.command("doctor")
@AS_JSON
@click.option("--signoff", is_flag=True, help="Also write the dated production report in Markdown.")
@click.option("--to", "folder", type=click.Path(file_okay=False, exists=True, path_type=Path), default=".")
@with_appcontext
def doctor_command(as_json: bool, signoff: bool, folder: Path) -> None:
    """Check everything that an email needs on its way; exit 1 on a fault."""
    deps = current_deps()
    checks = examine(deps)
    said = current_headline(deps, examined=Examination(deps.now(), tuple(checks))).sentence
    if as_json:
        rows = [check.as_json() for check in checks]
        say(json.dumps({"ok": is_well(checks), "headline": said, "checks": rows}, indent=2))
    else:
        say(full_stop(said))
        _print(checks)
    if signoff:
        path = folder / f"production-report-{deps.now():%Y-%m-%d}.md"
        path.write_text(report(deps, checks), "utf-8")
        say(f"Wrote {path}: read it, and sign it at its end.", err=as_json)
    sys.exit(0 if is_well(checks) else 1)


def _print(checks: list[Check]) -> None:
    table = folded("check", "status", "what was found, and what to do")
    for check in checks:
        fix = f"\n[bold]→ {escape(check.fix)}[/]" if check.fix else ""
        table.add_row(
            title_of_check(check.name), f"[{COLOURS[check.status]}]{check.status}[/]", escape(check.detail) + fix
        )
    Terminal().print(table)
    counted = {status: standing(checks, status) for status in Status}
    say(f"{counted[Status.OK]} ok, {counted[Status.WARNING]} to look at, {counted[Status.FAULT]} to fix.")
