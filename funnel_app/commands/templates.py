"""`flask templates`: the texts in Notion."""

import click
from flask.cli import with_appcontext

from funnel_app.current import current_deps
from funnel_app.flows.populate import populate as populate_flow
from funnel_app.gateways.errors import GatewayError


@click.group("templates")
def group() -> None:
    """The texts in Notion."""


@group.command()
@with_appcontext
def populate() -> None:
    """Write a starter text for every key that has none in Notion; never over somebody's words."""
    try:
        done = populate_flow(current_deps())
    except GatewayError as fault:
        raise click.ClickException(f"Notion did not take it: {fault}") from None
    for row in done:
        click.echo(f"{row.did:<10}  {row.key:<26}  {row.detail}")
