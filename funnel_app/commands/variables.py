"""`flask variables`: every variable that a template may use."""

import json

import click
from rich.table import Column

from funnel_app.campaigns.catalogue import CATALOGUE
from funnel_app.commands.tables import folded
from funnel_app.commands.terminal import Terminal, say

COLUMNS = ("name", "type", "source", "description", "example", "default")


@click.command("variables")
@click.option("--json", "as_json", is_flag=True, help="Only JSON on stdout.")
def variables_command(as_json: bool) -> None:
    """List every variable that a template may use, with what it is, an example, and what stands in for it."""
    rows = [{name: _plain(getattr(variable, name)) for name in COLUMNS} for variable in CATALOGUE.values()]
    if as_json:
        say(json.dumps(rows, indent=2))
        return
    table = folded(Column(COLUMNS[0], no_wrap=True), *COLUMNS[1:])
    for row in rows:
        table.add_row(*(row[name] or "" for name in COLUMNS))
    Terminal().print(table)


def _plain(value: object) -> str | None:
    return None if value is None else str(value)
