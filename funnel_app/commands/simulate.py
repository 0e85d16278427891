"""`flask simulate SEQUENCE`: a calendar of the emails that a lead would get."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext
from rich.markup import escape

from funnel_app.campaigns.incoming_calls import called
from funnel_app.commands.plain_text import AS_JSON, said_plainly, say
from funnel_app.commands.tables import folded
from funnel_app.commands.terminal import Terminal
from funnel_app.current import current_deps
from funnel_app.flows.simulation.judge import warnings_of, when
from funnel_app.flows.simulation.script import NotUnderstood, write_script
from funnel_app.flows.simulation.simulate import Played, simulate
from funnel_app.flows.templates.samples import SAMPLES


@click.command("simulate")
@click.argument("sequence")
@click.option("--lead", metavar="EMAIL", help="An existing lead, with all their running sequences.")
@click.option("--sample", type=click.Choice(SAMPLES), default=SAMPLES[0], show_default=True, help="A made-up lead.")
@click.option("--at", default="", metavar="TIME", help='When the sequence starts: "2026-12-03 14:00"; by default now.')
@click.option("--then", multiple=True, metavar="EVENT", help='What happens later: "booking +2d", "unsubscribe +3d".')
@click.option("--texts", is_flag=True, help="Show each email's text.")
@AS_JSON
@with_appcontext
def simulate_command(
    sequence: str, lead: str | None, sample: str, at: str, then: Sequence[str], texts: bool, as_json: bool
) -> None:
    """Play SEQUENCE (or CAMPAIGN/SEQUENCE) on a fast clock; nothing is written, sent or asked outside."""
    deps = current_deps()
    with said_plainly(NotUnderstood):
        script = write_script(deps.registry, sequence, now=deps.now(), at=at, then=then, sample=sample, lead=lead)
        calendar = simulate(deps, script)
    warnings = warnings_of(calendar, script.campaign, script.at)
    if as_json:
        rows = [asdict(each) for each in calendar]
        say(json.dumps({"calendar": rows, "warnings": warnings}, indent=2, default=_text))
        return
    zone = ZoneInfo(script.campaign.timezone)
    _print(calendar, zone, texts)
    for warning in warnings:
        say(f"Warning: {warning}.")
    gone = sum(each.gone for each in calendar)
    say(f"{gone} of {sum(bool(each.template) for each in calendar)} emails would go. Times are of {zone}.")


def _print(calendar: Sequence[Played], zone: ZoneInfo, texts: bool) -> None:
    table = folded("when", "what", "what comes of it")
    for each in calendar:
        what = (
            f"{each.sequence} {each.step}"
            if each.template
            else f"[bold]{each.what if each.step else called(each.what, '')}[/]"
        )
        table.add_row(when(each.at, zone), what, escape(_outcome(each)))
        if texts and each.gone:
            table.add_row("", "", escape(each.text), end_section=True)
    Terminal().print(table)


def _outcome(each: Played) -> str:
    if not each.template:
        return each.came_of_it
    return each.subject if each.gone else f"{each.state}: {each.reason}"


def _text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
