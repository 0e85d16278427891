"""Looked without booking: notify once of each who opened the booking page and booked nothing within a day."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from funnel_app.campaigns.links import unlinked
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.ledger import bookings, contacts, engagements, notices
from funnel_app.ledger.models import Contact
from funnel_app.ledger.queries import watching
from funnel_app.rules.calendar.bookings import BookingFacts

PATIENCE = timedelta(days=1)
LOOK_BACK = timedelta(days=2)


def notify_of_undecided(deps: Deps) -> int:
    """Queue a notification for each new undecided lead; return how many. Safe to repeat.

    Tests, canaries and scanners' clicks do not count. Without a chat nothing is queued.
    """
    channel = notices.chat_of_leads(deps.settings.leads_webhook_url, deps.settings.alert_webhook_url)
    if channel is None:
        return 0
    now = deps.now()
    with deps.reads() as session:
        clicked = engagements.looked_at_booking(session, now - PATIENCE - LOOK_BACK, now - PATIENCE)
        ids = {contact_id for _, contact_id, _ in clicked}
        calls = bookings.of_contacts(session.connection(), ids) if ids else {}
        clients = watching.clients_among(session, ids)
        waiting = {_key(campaign, id_): id_ for campaign, id_, at in clicked if not _booked(calls.get(id_, ()), at)}
        new = waiting.keys() - notices.known(session, waiting.keys())
        wanted = {waiting[key] for key in new} - clients
    if not wanted:
        return 0
    with deps.sessions.begin() as session:
        people = contacts.lock_known(session, wanted)
        words = {key: _word(deps.settings, people[waiting[key]]) for key in sorted(new) if waiting[key] in people}
        return sum(notices.add(session, key, channel, said, now) for key, said in words.items())


def _key(campaign: str, contact_id: object) -> str:
    return f"undecided:{campaign}:{contact_id}"


def _booked(calls: Sequence[BookingFacts], clicked_at: datetime) -> bool:
    """Say whether a person has a future booking since they clicked, or made one afterwards, even if cancelled."""
    return any(call.stood_after(clicked_at) and (call.call_at is None or call.call_at > clicked_at) for call in calls)


def _word(settings: Settings, contact: Contact) -> str:
    name = contact.name or contact.first_name or "A lead who gave no name"
    page = f"{settings.public_url}/console/leads/{contact.id}"
    return f"{unlinked(name)} opened the booking page a day ago and has booked nothing → {page}"
