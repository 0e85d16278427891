"""Reading: everything that the rules of a transaction's calls look at, read from the ledger once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from funnel_app.campaigns.model import Campaign, Event
from funnel_app.campaigns.registry import Registry
from funnel_app.rules.calendar.whole import WholeWord
from funnel_app.rules.calls.call import IMPORT, Call
from funnel_app.rules.calls.followers import is_shared, whole_word
from funnel_app.rules.facts import ContactFacts
from funnel_app.rules.people.contact import only_new, updated, without_new_names
from funnel_app.rules.replaced import replaced
from funnel_app.rules.sequences.exit import OF_CALLS

# Events that anybody can send through the website's forms, for any address.
SIGNUPS = frozenset({Event.OPT_IN, Event.ASSESSMENT})


@dataclass(frozen=True)
class Wanted:
    """What to read for some calls: people, their earlier calls, and other starts from the same source.

    `shared` names the calendar events, by campaign, whose messages about all attendees are needed; `of_all` those with
    such a message now; `about_calls` says that bookings matter at all.
    """

    addresses: frozenset[str]
    campaigns: frozenset[str]
    events: frozenset[str]
    callers: frozenset[str]
    mailboxes: frozenset[str]
    starts: frozenset[str]
    shared: frozenset[tuple[str, str]]
    of_all: frozenset[tuple[str, str]]
    about_calls: bool
    now: datetime


@dataclass(frozen=True)
class Reading:
    """The people whom some calls concern, by address, and counts of other starts; read once, immutable.

    `started` counts starts from the visitors' addresses within an hour, and for their mailboxes within a day. `whole`
    has the messages about all attendees, by campaign and calendar event.
    """

    contacts: Mapping[str, ContactFacts] = field(default_factory=dict)
    started: Mapping[str, int] = field(default_factory=dict)
    whole: Mapping[tuple[str, str], tuple[WholeWord, ...]] = field(default_factory=dict)

    def contact_of(self, call: Call, now: datetime) -> ContactFacts:
        """Return the person whom a call is about, known or new, updated by what it says."""
        known = self.contacts.get(call.email_norm)
        new = known or ContactFacts(email=call.email, email_norm=call.email_norm, created_at=now, updated_at=now)
        return updated(new, new.email if known and call.source == IMPORT else call.email, _said(new, call), now)

    def with_contact(self, contact: ContactFacts) -> "Reading":
        """Return the reading with a person in their new state."""
        return replaced(self, contacts={**self.contacts, contact.email_norm: contact})

    def hearing(self, call: Call, now: datetime) -> "Reading":
        """Return the reading with a call's message about all attendees, if it is one."""
        if call.whole is None:
            return self
        key, word = (call.campaign, call.occurrence), whole_word(call, now)
        return replaced(self, whole={**self.whole, key: (*self.whole.get(key, ()), word)})

    def counting(self, call: Call) -> "Reading":
        """Return the reading with one more start from the call's visitor and for its mailbox."""
        keys = (call.caller, call.mailbox)
        return replaced(self, started={**self.started, **{key: self.started.get(key, 0) + 1 for key in keys if key}})


def _said(contact: ContactFacts, call: Call) -> Mapping[str, Any]:
    if call.source == IMPORT:
        return only_new(contact, call.contact)
    return without_new_names(contact, call.contact) if call.event in SIGNUPS else call.contact


def wanted_for(calls: Iterable[Call], registry: Registry, now: datetime) -> Wanted:
    """Return what to read for these calls. Raises UnknownCampaign."""
    calls = list(calls)
    kinds = {(call.campaign, call.event) for call in calls}
    blocking = [_blocking(registry.campaign(campaign), event, registry) for campaign, event in kinds]
    return Wanted(
        addresses=frozenset([call.email_norm for call in calls]),
        campaigns=frozenset().union(*[campaigns for campaigns, _ in blocking]),
        events=frozenset().union(*[events for _, events in blocking]),
        callers=frozenset([call.caller for call in calls if call.caller and not call.may_be_many]),
        mailboxes=frozenset([call.mailbox for call in calls if not call.may_be_many]),
        starts=registry.starts,
        shared=frozenset([(call.campaign, call.occurrence) for call in calls if is_shared(call)]),
        of_all=frozenset([(call.campaign, call.occurrence) for call in calls if call.whole is not None]),
        about_calls=any(call.occurrence for call in calls),
        now=now,
    )


def _blocking(campaign: Campaign, event: Event, registry: Registry) -> tuple[set[str], frozenset[str]]:
    """Return the campaigns, and the events, that may block what such a call starts.

    Campaigns: its own, and the others where a sequence ends by their events; sequences in season and out of it. Events:
    for a call that starts nothing, its own kind; for a calendar's call also those of the sequences that a booking ends,
    since a cancellation may restart them.
    """
    found = (campaign.started_by(event), campaign.started_off_season(event))
    started = [sequence for sequence in found if sequence]
    elsewhere = frozenset[str]().union(*[sequence.exits_elsewhere for sequence in started])
    campaigns = {campaign.name, *registry.campaigns} if elsewhere else {campaign.name}
    events = elsewhere.union(*[sequence.exits for sequence in started]) if started else frozenset({event})
    if event not in OF_CALLS:
        return campaigns, events
    of_calls = [s for s in campaign.sequences.values() if s.per_occurrence and Event.BOOKING in s.exits]
    return campaigns, events.union(*[{*sequence.exits, sequence.starts_on} for sequence in of_calls])
