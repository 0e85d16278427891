"""`flask campaigns`: what is sent, and when."""

import json

import click
from flask.cli import with_appcontext
from rich.console import Console
from rich.table import Table

from funnel_app.current import current_deps


@click.command("campaigns")
@click.option("--json", "as_json", is_flag=True, help="Only JSON on stdout.")
@with_appcontext
def campaigns(as_json: bool) -> None:
    """List every sequence with its handler, hook, steps and times, as the campaign files say."""
    rows = current_deps().registry.rows()
    if as_json:
        click.echo(json.dumps(rows, indent=2, default=str))
        return
    table = Table(*(name.replace("_", " ") for name in rows[0]), title="Campaigns")
    for row in rows:
        table.add_row(*(_cell(value) for value in row.values()))
    Console(width=None).print(table)


def _cell(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
