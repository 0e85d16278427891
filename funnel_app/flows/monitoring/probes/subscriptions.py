"""Subscriptions: whether Calendly sends us its events, and renewing its subscription."""

from collections.abc import Iterable, Sequence

from funnel_app.campaigns import model
from funnel_app.campaigns.model import Campaign, Event
from funnel_app.campaigns.registry import Registry
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.gateways.http.calendly import Calendly, Subscription

HOOK = "calendly"
CALLBACK = "/webhook/{campaign}/calendly"
OF_CALENDARS = frozenset(
    {Event.BOOKING, Event.BOOKING_CANCELLED, Event.BOOKING_RESCHEDULED, Event.NO_SHOW, Event.NO_SHOW_UNDONE}
)


class NotSet(Exception):
    """A setting or a campaign's hook that Calendly needs is missing; the message names it."""


def check_calendly(deps: Deps, campaign: str) -> list[str]:
    """Return what keeps Calendly's events from reaching us, in plain words; empty if nothing does.

    Raises NotSet, Unavailable or Rejected.
    """
    callback_url(deps, campaign)  # before anybody is asked
    return _faults(deps, campaign, _calendly(deps.settings).find_subscriptions())


def check_all_calendly(deps: Deps) -> dict[str, list[str]]:
    """Return what keeps Calendly's events from each campaign that must be told of them, empty lists where nothing does.

    Where any one will do, only those that are told are returned if some are. Raises NotSet, Unavailable, Rejected.
    """
    known = _calendly(deps.settings).find_subscriptions()
    found = {campaign: _faults(deps, campaign, known) for campaign in needing_calendly(deps.registry)}
    told = {campaign: faults for campaign, faults in found.items() if not faults}
    return told if told and all(map(_learns_elsewhere, map(deps.registry.campaign, found))) else found


def _faults(deps: Deps, campaign: str, known: Sequence[Subscription]) -> list[str]:
    address, again = callback_url(deps, campaign), f"flask calendly subscribe --campaign {campaign}"
    ours = _ours(known, address)
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
    address = callback_url(deps, campaign)
    ours = _ours(calendly.find_subscriptions(), address)
    if any(subscription.state == "active" and not subscription.missing for subscription in ours):
        return "already subscribed"
    for subscription in ours:
        calendly.unsubscribe(subscription)
    calendly.subscribe(address, keys[0])
    return "subscribed again" if ours else "subscribed"


def with_calendly_hook(registry: Registry) -> list[str]:
    """Return the campaigns whose files have a hook for Calendly."""
    return [name for name, campaign in registry.campaigns.items() if HOOK in campaign.hooks]


def needing_calendly(registry: Registry) -> list[str]:
    """Return the campaigns that Calendly itself must tell; where none must, all that it may.

    A subscription tells of every booking of the organization. A campaign whose sequences begin by none, and end by one
    in another campaign as well, needs none of its own. https://developer.calendly.com/api-docs (scope: organization)
    """
    hooked = with_calendly_hook(registry)
    return [name for name in hooked if not _learns_elsewhere(registry.campaign(name))] or hooked


def starting_by_calendly(registry: Registry, campaigns: Iterable[str]) -> list[str]:
    """Return those of these campaigns in which an event of a calendar starts a sequence."""
    return [name for name in campaigns if any(map(_starts_by_call, registry.campaign(name).sequences.values()))]


def _learns_elsewhere(campaign: Campaign) -> bool:
    return all(
        not _starts_by_call(sequence) and sequence.exits & OF_CALENDARS <= sequence.exits_elsewhere
        for sequence in campaign.sequences.values()
    )


def _starts_by_call(sequence: model.Sequence) -> bool:
    return sequence.starts_on in OF_CALENDARS


def only_needing_calendly(registry: Registry) -> str:
    """Return the only campaign that Calendly must tell; NotSet if there is none or several."""
    found = needing_calendly(registry)
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


def _ours(known: Iterable[Subscription], address: str) -> list[Subscription]:
    return [subscription for subscription in known if subscription.callback_url == address]


def _calendly(settings: Settings) -> Calendly:
    if settings.calendly_token is None:
        raise NotSet("CALENDLY_TOKEN is not set: make a personal access token in Calendly and set it.")
    return Calendly(settings.calendly_token, settings.calendly_api_url)
