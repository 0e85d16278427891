"""`flask variables`: every variable that a template may use."""

import json
from collections.abc import Iterator
from dataclasses import replace

import click
from flask.cli import with_appcontext
from rich.table import Column

from funnel_app.campaigns.catalogue import CATALOGUE, Variable
from funnel_app.campaigns.own_variables import own_catalogue
from funnel_app.commands.plain_text import AS_JSON, say
from funnel_app.commands.tables import folded
from funnel_app.commands.terminal import Terminal
from funnel_app.current import current_deps

COLUMNS = ("name", "type", "source", "description", "example", "default")


@click.command("variables")
@AS_JSON
@with_appcontext
def variables_command(as_json: bool) -> None:
    """List every variable that a template may use, with example and default; the campaigns' own come last."""
    rows = [{name: _plain(getattr(variable, name)) for name in COLUMNS} for variable in _all()]
    if as_json:
        say(json.dumps(rows, indent=2))
        return
    # Few wide columns, so that a narrow terminal cuts no word.
    table = folded(Column("name", no_wrap=True), "what it is", "example, and default")
    for row in rows:
        example = f"{row['example']}; else {row['default']}" if row["default"] else row["example"]
        table.add_row(row["name"], f"{row['description']} ({row['type']}, {row['source']})", example or "")
    Terminal().print(table)


def _all() -> Iterator[Variable]:
    yield from CATALOGUE.values()
    for campaign in current_deps().registry.campaigns.values():
        for variable in own_catalogue(campaign).values():
            yield replace(variable, description=f"{variable.description} (of {campaign.name} only)")


def _plain(value: object) -> str | None:
    return None if value is None else str(value)
