"""`flask calendly`: whether Calendly's events reach us."""

import sys

import click
from flask.cli import with_appcontext

from funnel_app.campaigns.registry import UnknownCampaign
from funnel_app.commands.plain_text import said_plainly, say
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.flows.monitoring.probes.subscriptions import (
    NotSet,
    callback_url,
    check_calendly,
    only_needing_calendly,
    subscribe_calendly,
)
from funnel_app.gateways.errors import GatewayError

CAMPAIGN = click.option("--campaign", help="The campaign, if several have a hook for Calendly.")

FAULTS = (NotSet, GatewayError, UnknownCampaign)


@click.group("calendly", cls=WholeHelp)
def group() -> None:
    """Check and make Calendly's webhook subscription."""


@group.command()
@CAMPAIGN
@with_appcontext
def check(campaign: str | None) -> None:
    """Exit 1 if Calendly's events do not reach us; after 24 hours of failures Calendly gives up for good."""
    with said_plainly(*FAULTS):
        campaign = campaign or only_needing_calendly(current_deps().registry)
        faults = check_calendly(current_deps(), campaign)
    for fault in faults:
        say(fault)
    if faults:
        sys.exit(1)
    say(f"Calendly calls {callback_url(current_deps(), campaign)} with every event that Funnel needs.")


@group.command()
@CAMPAIGN
@with_appcontext
def subscribe(campaign: str | None) -> None:
    """Subscribe to Calendly's events, or renew a disabled subscription. Safe to repeat."""
    with said_plainly(*FAULTS):
        say(subscribe_calendly(current_deps(), campaign or only_needing_calendly(current_deps().registry)))
