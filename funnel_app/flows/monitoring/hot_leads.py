"""Critical leads: one word of each to whoever calls them, never on the lead's own path, and never twice."""

from datetime import timedelta

from funnel_app.campaigns.links import unlinked
from funnel_app.campaigns.segments import CRITICAL, segment_of
from funnel_app.deps import Deps
from funnel_app.ledger import notices, watching
from funnel_app.ledger.models import Contact

CHANNEL = notices.LEADS
LOOK_BACK = timedelta(hours=24)


def find_critical(deps: Deps) -> int:
    """Keep a word of each CRITICAL lead of the last day that nobody was told of; return how many. Safe to repeat.

    Tests and canaries are no leads. Without LEADS_WEBHOOK_URL nothing is kept.
    """
    if deps.settings.leads_webhook_url is None:
        return 0
    now = deps.now()
    with deps.reads() as session:
        assessed = watching.assessed_since(session, now - LOOK_BACK)
        critical = {_key(campaign, contact): contact for campaign, contact in assessed if _is_critical(contact)}
        new = critical.keys() - notices.known(session, critical.keys())
    if not new:
        return 0
    with deps.sessions.begin() as session:
        return sum(notices.add(session, key, CHANNEL, _word(deps, critical[key]), now) for key in sorted(new))


def _key(campaign: str, contact: Contact) -> str:
    return f"lead:{campaign}:{contact.id}"


def _is_critical(contact: Contact) -> bool:
    return segment_of(contact.properties) == CRITICAL


def _word(deps: Deps, contact: Contact) -> str:
    name = contact.name or contact.first_name or "no name given"
    business = f", {contact.business_name}" if contact.business_name else ""
    # A chat would make links of what strangers typed, under our name.
    return f"CRITICAL lead: {unlinked(f'{name}{business}')} → {deps.settings.public_url}/console/leads/{contact.id}"
