"""`flask ledger`: figures from the ledger."""

import json
import sys

import click
from flask.cli import with_appcontext

from funnel_app.current import current_deps
from funnel_app.flows.stats import ledger_stats


@click.group("ledger")
def group() -> None:
    """What the ledger holds."""


@group.command("stats")
@with_appcontext
def stats() -> None:
    """Print, as JSON, what became of every email; exit 1 where one is unexplained or went twice."""
    found = ledger_stats(current_deps())
    click.echo(json.dumps(found, indent=2))
    sys.exit(1 if found["unexplained"] or found["duplicates"] else 0)
