"""Subscriptions: whether Calendly sends us its events, and renewing its subscription."""

from funnel_app.campaigns.registry import Registry
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.gateways.http.calendly import Calendly, Subscription

HOOK = "calendly"
CALLBACK = "/webhook/{campaign}/calendly"


class NotSet(Exception):
    """A setting or a campaign's hook that Calendly needs is missing; the message names it."""


def check_calendly(deps: Deps, campaign: str) -> list[str]:
    """Return what keeps Calendly's events from reaching us, in plain words; empty if nothing does.

    Raises NotSet, Unavailable or Rejected.
    """
    ours = _ours(deps, campaign)
    address, again = callback_url(deps, campaign), f"flask calendly subscribe --campaign {campaign}"
    if not ours:
        return [f"Calendly does not call {address}: run {again}"]
    faults = []
    for subscription in ours:
        if subscription.state != "active":
            faults.append(
                f"the subscription for {address} is {subscription.state}: Calendly gave up after 24 hours of failures, "
                f"and does not come back by itself; run {again}"
            )
        if subscription.missing:
            faults.append(f"not subscribed to {', '.join(subscription.missing)}; run {again}")
    return faults


def subscribe_calendly(deps: Deps, campaign: str) -> str:
    """Subscribe to all of Calendly's events, replacing disabled or incomplete subscriptions; say what was done.

    Safe to repeat. Raises NotSet, Unavailable or Rejected.
    """
    calendly, keys = _calendly(deps.settings), deps.settings.calendly_signing_keys
    if not keys:
        raise NotSet("CALENDLY_SIGNING_KEY is not set: without it nobody could tell Calendly's events from others.")
    ours = _ours(deps, campaign)
    if any(subscription.state == "active" and not subscription.missing for subscription in ours):
        return "already subscribed"
    for subscription in ours:
        calendly.unsubscribe(subscription)
    calendly.subscribe(callback_url(deps, campaign), keys[0])
    return "subscribed again" if ours else "subscribed"


def told_by_calendly(registry: Registry) -> list[str]:
    """Return the campaigns whose files have a hook for Calendly."""
    return [name for name, campaign in registry.campaigns.items() if HOOK in campaign.hooks]


def only_told_by_calendly(registry: Registry) -> str:
    """Return the only campaign with a hook for Calendly; NotSet if there is none or several."""
    found = told_by_calendly(registry)
    if len(found) != 1:
        choice = (
            f"Say which with --campaign: {', '.join(found)}." if found else f"No campaign's file has [hooks.{HOOK}]."
        )
        raise NotSet(choice)
    return found[0]


def callback_url(deps: Deps, campaign: str) -> str:
    """Return the address that Calendly must call; NotSet if the campaign's file has no hook for it."""
    if HOOK not in deps.registry.campaign(campaign).hooks:
        raise NotSet(f"Campaign {campaign} has no [hooks.{HOOK}] in its file: Calendly's calls would be answered 404.")
    return deps.settings.public_url + CALLBACK.format(campaign=campaign)


def _ours(deps: Deps, campaign: str) -> list[Subscription]:
    address = callback_url(deps, campaign)
    return [found for found in _calendly(deps.settings).find_subscriptions() if found.callback_url == address]


def _calendly(settings: Settings) -> Calendly:
    if settings.calendly_token is None:
        raise NotSet("CALENDLY_TOKEN is not set: make a personal access token in Calendly and set it.")
    return Calendly(settings.calendly_token, settings.calendly_api_url)
