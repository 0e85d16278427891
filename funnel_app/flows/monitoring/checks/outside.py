"""Checks of the outside: the public address, Calendly, alerts and the dead man's switch."""

from collections.abc import Mapping, Sequence

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.check import Findings, fault, ok, warning
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.flows.monitoring.notifications.heartbeat import why_unheard
from funnel_app.flows.monitoring.notifications.notify import UndeliveredNotifications, undelivered_notifications
from funnel_app.flows.monitoring.probes.subscriptions import (
    NotSet,
    check_all_calendly,
    needing_calendly,
    starting_by_calendly,
)
from funnel_app.flows.outbox.history import KEPT_FOR
from funnel_app.flows.outbox.receiver_status import REMOVED, find_receivers, given_up_lately
from funnel_app.gateways.errors import GatewayError


def public_address(deps: Deps) -> Findings:
    """Funnel can be reached from outside at PUBLIC_URL."""
    try:
        deps.public.check()
    except GatewayError as error:
        fix = "see that the web process runs, and that PUBLIC_URL, its DNS and its certificate are right"
        yield fault("public address", f"{deps.settings.public_url}: {error.message}", fix)
    else:
        yield ok("public address", f"{deps.settings.public_url} answers")


def calendly(deps: Deps) -> Findings:
    """Calendly reports bookings."""
    keys, token = deps.settings.calendly_signing_keys, deps.settings.calendly_token
    if not keys and not token:
        yield ok("calendly", "not used: neither CALENDLY_SIGNING_KEY nor CALENDLY_TOKEN is set")
        return
    if not needing_calendly(deps.registry):
        return
    try:
        found = check_all_calendly(deps)
    except NotSet:
        fix = "set CALENDLY_TOKEN, so that a subscription that Calendly gave up is noticed"
        yield warning("calendly", "whether its subscription lives cannot be asked", fix)
    except GatewayError as error:
        words = f"cannot be asked whether it still tells of bookings: {error.message}"
        yield fault("calendly", words, "see that CALENDLY_TOKEN is right; what Calendly tells meanwhile is taken")
    else:
        yield from _subscriptions(deps.registry, found)


def _subscriptions(registry: Registry, found: Mapping[str, Sequence[str]]) -> Findings:
    told = [campaign for campaign, faults in found.items() if not faults]
    for campaign, faults in found.items():
        if faults:
            yield fault("calendly", "; ".join(faults), _calendly_fix(campaign, told))
    several = starting_by_calendly(registry, told)
    if len(several) > 1:
        fix = "leave Calendly to one of them: take its table out of the other files, and unsubscribe them"
        yield warning("calendly", f"each booking starts what it starts in {' and in '.join(several)}", fix)
    elif told:
        yield ok("calendly", f"its subscription for {' and '.join(told)} is active")


def _calendly_fix(campaign: str, told: Sequence[str]) -> str:
    fix = f"run flask --app wsgi calendly subscribe --campaign {campaign}"
    if not told:
        return fix
    return f"{fix}; or, since Calendly tells {told[0]} of every booking, take its table out of {campaign}.toml"


def alerting(deps: Deps) -> Findings:
    """Somebody is alerted when something is wrong, even if this whole machine fails."""
    found = deps.settings
    absent = [
        name
        for name, value in (("ALERT_WEBHOOK_URL", found.alert_webhook_url), ("HEARTBEAT_URL", found.heartbeat_url))
        if not value
    ]
    failing = undelivered_notifications(deps.reads)
    if failing:
        words = "; ".join(_undelivered_words(deps, each) for each in failing)
        yield fault("alerts", words, "; ".join(map(_undelivered_fix, failing)))
    elif absent:
        yield warning("alerts", f"{', '.join(absent)} not set: nobody is told", "set them; docs/operations.md says how")
    else:
        yield ok("alerts", "alerts have an address, and so has a dead man's switch")


def heartbeat(deps: Deps) -> Findings:
    """The dead man's switch receives our heartbeat."""
    if deps.settings.heartbeat_url is None:
        return
    if unheard := why_unheard(deps.reads):
        fix = "create the check again at the dead man's switch, and set HEARTBEAT_URL to its address"
        yield fault("heartbeat", unheard, fix)
    else:
        yield ok("heartbeat", "the dead man's switch took the last call")


def events(deps: Deps) -> Findings:
    """Receivers of lead events accept them."""
    standings = find_receivers(deps)
    for each in standings:
        waits = f"{things(each.waiting, 'event')} wait" + ("s" if each.waiting == 1 else "")
        if each.host == REMOVED:
            fix = "set its address in EVENTS_WEBHOOK_URL again, or do nothing: after three days they are given up"
            yield warning("events", f"{waits} for {REMOVED}", fix)
        elif each.failing_since is not None:
            since = said_at(deps, each.failing_since)
            fix = "see that what EVENTS_WEBHOOK_URL leads to runs and answers with 2xx"
            yield fault("events", f"{each.host} {each.error}, since {since}: {waits}", fix)
    if given_up := given_up_lately(deps, KEPT_FOR):
        fix = (
            "once they are taken again: flask --app wsgi events replay --given-up, or do nothing: they go after a month"
        )
        yield warning("events", given_up, fix)
    elif standings and not any(each.host == REMOVED or each.failing_since for each in standings):
        take = "takes" if len(standings) == 1 else "take"
        yield ok("events", f"{things(len(standings), 'receiver')} {take} what happens to leads")


def _undelivered_words(deps: Deps, chat: UndeliveredNotifications) -> str:
    what = "is refused" if chat.refused else "cannot be reached"
    since = f"{things(chat.number, 'message')} undelivered since {said_at(deps, chat.since)}"
    return f"{chat.setting} {what} ({chat.error}): {since}"


def _undelivered_fix(chat: UndeliveredNotifications) -> str:
    if chat.refused:
        made = "make a new address for messages in the chat"
        return f"{made}, set {chat.setting} to it and start again; it is tried each hour"
    return f"see that {chat.setting} leads to a chat; it is tried again every ten minutes"
