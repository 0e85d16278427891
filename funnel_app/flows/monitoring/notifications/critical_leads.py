"""Critical leads: notify LEADS_WEBHOOK_URL once of each CRITICAL lead, off the lead's own path."""

from datetime import timedelta

from funnel_app.campaigns.links import unlinked
from funnel_app.campaigns.segments import CRITICAL, segment_of
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.ledger import contacts, notices
from funnel_app.ledger.models import Contact
from funnel_app.ledger.queries import watching

CHANNEL = notices.LEADS
LOOK_BACK = timedelta(hours=24)


def find_critical(deps: Deps) -> int:
    """Queue a notification for each new CRITICAL lead of the last day; return how many. Safe to repeat.

    Tests and canaries do not count. Without LEADS_WEBHOOK_URL nothing is queued.
    """
    if deps.settings.leads_webhook_url is None:
        return 0
    now = deps.now()
    with deps.reads() as session:
        assessed = watching.assessed_since(session, now - LOOK_BACK)
        critical = {_key(campaign, contact): contact.id for campaign, contact in assessed if _is_critical(contact)}
        new = critical.keys() - notices.known(session, critical.keys())
    if not new:
        return 0
    with deps.sessions.begin() as session:
        people = contacts.lock_known(session, {critical[key] for key in new})
        words = {key: _word(deps.settings, people[critical[key]]) for key in sorted(new) if critical[key] in people}
        return sum(notices.add(session, key, CHANNEL, said, now) for key, said in words.items())


def _key(campaign: str, contact: Contact) -> str:
    return f"lead:{campaign}:{contact.id}"


def _is_critical(contact: Contact) -> bool:
    return segment_of(contact.properties) == CRITICAL


def _word(settings: Settings, contact: Contact) -> str:
    name = contact.name or contact.first_name or "no name given"
    business = f", {contact.business_name}" if contact.business_name else ""
    # A chat would turn a lead's text into links that seem to be ours.
    return f"CRITICAL lead: {unlinked(f'{name}{business}')} → {settings.public_url}/console/leads/{contact.id}"
