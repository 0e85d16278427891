"""Recipient: who reads a letter, and when, and what every variable is worth to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Campaign, Mode
from funnel_app.campaigns.season import began_at
from funnel_app.campaigns.variables import CampaignFacts, FunnelFacts, values
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.ledger import bookings
from funnel_app.ledger.models import Contact


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """The recipient of a letter, and when: everything its variables depend on. Without `at` it is read now."""

    campaign: Campaign
    contact: Mapping[str, object]
    hook: Mapping[str, object]
    deadline: date
    timezone: str | None
    unsubscribe_url: str
    booked: int
    at: datetime | None = None


def variables_for(deps: Deps, recipient: Recipient) -> dict[str, object]:
    """Return the value of every variable for a letter to this recipient."""
    campaign, now = recipient.campaign, recipient.at or deps.now()
    today = now.astimezone(ZoneInfo(campaign.timezone)).date()
    zone = ZoneInfo(recipient.timezone or campaign.timezone)
    return values(
        campaign,
        contact=recipient.contact,
        hook=recipient.hook,
        facts=CampaignFacts(deadline=recipient.deadline, today=today, bookings=recipient.booked, zone=zone, now=now),
        funnel=FunnelFacts(
            unsubscribe_url=recipient.unsubscribe_url,
            company_name=deps.settings.company_name,
            company_address=deps.settings.company_address,
            current_year=today.year,
            public_url=deps.settings.public_url,
        ),
    )


def booked_calls(deps: Deps, campaign: str) -> int:
    """Return how many bookings of a campaign's season stand, without tests and canaries."""
    since = began_at(deps.registry.campaign(campaign), deps.now())
    with deps.reads() as session:
        return bookings.count(session, campaign, Mode.LIVE, since)


def unsubscribe_url(settings: Settings, contact: Contact) -> str:
    """Return a contact's unsubscribe link, which stays valid when secrets change."""
    return f"{settings.public_url}/u/{contact.unsubscribe_token}"


def facts_of(contact: Contact) -> dict[str, object]:
    """Return the facts about a contact, names included."""
    named = {"first_name": contact.first_name, "business_name": contact.business_name, "email": contact.email}
    return {**contact.properties, **{name: value for name, value in named.items() if value}}
