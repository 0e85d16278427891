"""One reading of the ledger: all that the rules of a transaction's calls look at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from funnel_app.campaigns.registry import Registry
from funnel_app.rules.call import Call
from funnel_app.rules.contact import updated
from funnel_app.rules.decide import PER_IP
from funnel_app.rules.facts import ContactFacts


@dataclass(frozen=True)
class Wanted:
    """What is to be read for some calls: these people, what was heard of them, and who else came from where."""

    addresses: frozenset[str]
    campaigns: frozenset[str]
    events: frozenset[str]
    ips: frozenset[str]
    ips_since: datetime


@dataclass(frozen=True)
class Reading:
    """The people whom some calls concern, by address, and what is counted of others; it is read once, and not changed.

    `others_from_ip` counts the enrolments of the last hour of everybody else who consented from an IP address.
    """

    contacts: Mapping[str, ContactFacts] = field(default_factory=dict)
    others_from_ip: Mapping[str, int] = field(default_factory=dict)

    def contact_of(self, call: Call, now: datetime) -> ContactFacts:
        """Return the person whom a call is about, known or new, brought up to date by what it says."""
        known = self.contacts.get(call.email_norm)
        new = known or ContactFacts(email=call.email, email_norm=call.email_norm, created_at=now, updated_at=now)
        return updated(new, call.email, call.contact, now)

    def with_contact(self, contact: ContactFacts) -> "Reading":
        """Return the reading with a person as they are now."""
        return replace(self, contacts={**self.contacts, contact.email_norm: contact})

    def from_ip(self, ip: str | None, since: datetime) -> int:
        """Count the enrolments since a time of all who consented from an IP address; 0 where none is named."""
        if ip is None:
            return 0
        here = (contact for contact in self.contacts.values() if contact.consent_ip == ip)
        return self.others_from_ip.get(ip, 0) + sum(contact.enrolled_since(since) for contact in here)


def wanted_for(calls: Iterable[Call], registry: Registry, now: datetime) -> Wanted:
    """Return what must be read for these calls. Raises UnknownCampaign."""
    calls = list(calls)
    return Wanted(
        addresses=frozenset(call.email_norm for call in calls),
        campaigns=frozenset(call.campaign for call in calls),
        events=frozenset(event for call in calls for event in _events_for(call, registry)),
        ips=frozenset(call.consent_ip for call in calls if call.consent_ip),
        ips_since=now - PER_IP[1],
    )


def _events_for(call: Call, registry: Registry) -> frozenset[str]:
    """Return the events that keep a call's sequence from starting; for one that starts nothing, its own kind."""
    campaign = registry.campaign(call.campaign)
    started = campaign.started_by(call.event), campaign.started_off_season(call.event)
    exits = frozenset(event for sequence in started if sequence for event in sequence.exits)
    return frozenset({call.event}) if started[0] is None else exits
