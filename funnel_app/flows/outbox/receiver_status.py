"""Receiver status: what each waits for or does not take. Each is told everything: `ledger/outbox.py` keeps it a row."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from funnel_app.campaigns.spoken import things
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.gateways.http.receivers import receiver_host, receiver_key
from funnel_app.ledger import outgoing_events, receivers

KIND, GIVEN_UP = "receiver_away", "events_given_up"
# How long given-up events are reported.
NEWS_FOR = timedelta(hours=1)
REMOVED = "a receiver that is set no more"


@dataclass(frozen=True)
class ReceiverStanding:
    """One receiver: pending events, since when, and since when and why it fails."""

    key: str
    host: str
    waiting: int = 0
    waiting_since: datetime | None = None
    failing_since: datetime | None = None
    error: str | None = None


def hosts_by_key(settings: Settings) -> dict[str, str]:
    """Return what is shown of each configured receiver, by its key in the ledger: its host.

    Of several at one host, as two hooks of Zapier, each is shown with its place in the setting.
    """
    urls = settings.events_webhook_urls
    hosts = [receiver_host(url) for url in urls]
    places = [f"{host}, address {place} of EVENTS_WEBHOOK_URL" for place, host in enumerate(hosts, 1)]
    shown = [place if hosts.count(host) > 1 else host for host, place in zip(hosts, places, strict=True)]
    return dict(zip(map(receiver_key, urls), shown, strict=True))


def find_receivers(deps: Deps) -> list[ReceiverStanding]:
    """Return every configured receiver in order, then any other with pending events."""
    with deps.reads() as session:
        waiting = outgoing_events.waiting_by_receiver(session)
        failing = receivers.failing(session)
    hosts = hosts_by_key(deps.settings)
    hosts |= {key: REMOVED for key in waiting if key not in hosts}
    return [
        ReceiverStanding(
            key,
            host,
            waiting[key].number if key in waiting else 0,
            waiting[key].since if key in waiting else None,
            failing[key].failing_since if key in failing else None,
            failing[key].last_error if key in failing else None,
        )
        for key, host in hosts.items()
    ]


def away(deps: Deps) -> dict[str, str]:
    """Return what to report of each failing receiver, by host."""
    return {
        each.host: f"{each.error}; {things(each.waiting, 'event')} {'waits' if each.waiting == 1 else 'wait'} for it"
        for each in find_receivers(deps)
        if each.failing_since is not None and each.waiting
    }


def given_up_lately(deps: Deps, within: timedelta = NEWS_FOR) -> str | None:
    """Return what to report of events given up within the hour, or another time; None if there are none."""
    with deps.reads() as session:
        number = outgoing_events.count_given_up_since(session, deps.now() - within)
    was = "was given up: no receiver took it" if number == 1 else "were given up: no receiver took them"
    return f"{things(number, 'event')} {was} in three days" if number else None
