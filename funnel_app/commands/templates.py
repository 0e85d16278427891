"""`flask templates`: the texts in Notion."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from funnel_app.current import current_deps
from funnel_app.flows.audit import Audit, audit_templates
from funnel_app.flows.populate import populate as populate_flow
from funnel_app.gateways.errors import GatewayError

COLOURS = {"ok": "green", "warning": "yellow", "fault": "bold red"}


@click.group("templates")
def group() -> None:
    """The texts in Notion."""


@group.command()
@click.option("--json", "as_json", is_flag=True, help="Only JSON on stdout.")
@with_appcontext
def audit(as_json: bool) -> None:
    """Say of every template that a campaign needs whether it can be sent; exit 1 where one cannot."""
    with _notion_asked():
        found = audit_templates(current_deps())
    click.echo(json.dumps(found.as_json(), indent=2)) if as_json else _show(found)
    sys.exit(0 if found.ok else 1)


def _show(found: Audit) -> None:
    table = Table("template", "status", "what is wrong", "what to do")
    for template in found.templates:
        lines = template.problems
        wrong, cures = (
            "\n".join(escape(each) for each in column)
            for column in ([problem.detail for problem in lines], [problem.suggestion for problem in lines])
        )
        table.add_row(template.key, f"[{COLOURS[template.status]}]{template.status}[/]", wrong, cures)
    Console().print(table)
    if found.unused:
        click.echo(f"No campaign needs: {', '.join(f'“{name}”' for name in found.unused)}")
    faults = sum(template.status == "fault" for template in found.templates)
    click.echo(f"{len(found.templates) - faults} of {len(found.templates)} templates can be sent.")


@group.command()
@with_appcontext
def populate() -> None:
    """Write a starter text for every key that has none in Notion; never over somebody's words."""
    with _notion_asked():
        done = populate_flow(current_deps())
    for row in done:
        click.echo(f"{row.did:<10}  {row.key:<26}  {row.detail}")


@contextmanager
def _notion_asked() -> Iterator[None]:
    try:
        yield
    except GatewayError as fault:
        raise click.ClickException(f"Notion cannot be asked: {fault}") from None
