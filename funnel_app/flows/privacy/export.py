"""Export: everything known of one person, for that person."""

from typing import Any

from sqlalchemy.orm import Session

from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up, names
from funnel_app.flows.outbox.receiver_status import REMOVED, hosts_by_key
from funnel_app.flows.receipt import iso
from funnel_app.flows.replies.history import as_row
from funnel_app.flows.tracing.trace import trace
from funnel_app.ledger import (
    bookings,
    contacts,
    engagements,
    hook_events,
    operator_actions,
    outgoing_events,
    pii,
    received_emails,
    suppressions,
)
from funnel_app.ledger.models import Contact, HookEvent, Message, Suppression
from funnel_app.ledger.models.bookings import Booking
from funnel_app.ledger.models.engagements import Engagement
from funnel_app.ledger.models.outbox import OutgoingEvent
from funnel_app.ledger.models.received_emails import ReceivedEmail


def export(deps: Deps, address: str) -> dict[str, Any] | None:
    """Return everything known of an address as plain data; None if that is nothing."""
    email_norm = looked_up(address)
    with deps.reads() as session:
        contact = contacts.find(session, email_norm)
        forbidden = suppressions.of_address(session, email_norm, deps.settings.secret_key)
        refused = hook_events.refused(session, lambda call: names(call.payload, email_norm))
        calls = [*(hook_events.of_contact(session, contact.id) if contact else []), *refused]
        frozen = pii.messages_of(session, contact.id) if contact else []
        done = operator_actions.of_contact(session, contact.id) if contact else []
        booked = bookings.of_contact(session, contact.id) if contact else []
        others = _of_others(session, contact, email_norm)
        told = outgoing_events.of_contact(session, contact.id) if contact else []
        did = engagements.of_contact(session, contact.id) if contact else []
        written = _written(session, contact, email_norm)
    if contact is None and not forbidden and not calls and not others and not written:
        return None
    hosts = hosts_by_key(deps.settings)
    return {
        "person": _person(contact) if contact else None,
        "suppressions": [_suppression(each) for each in forbidden],
        "calls": [_call(call) for call in sorted(calls, key=lambda call: call.received_at)],
        "bookings": [_booking(booking) for booking in booked],
        # Other people's calls are theirs: only the fact that they name this person is exported.
        "named_by_others": [{"at": iso(c.received_at), "hook": c.hook, "from": c.source} for c in others],
        "messages": [_message(message) for message in frozen],
        "written_by_them": [as_row(each) for each in written],
        "opened_and_clicked": [_engagement(each) for each in did],
        "done_by_people": [{"at": iso(a.at), "action": a.action, "detail": a.detail} for a in done],
        "told_to_others": [_event_json(event, hosts.get(event.receiver, REMOVED)) for event in told],
        "story": trace(deps, address),
    }


def _written(session: Session, contact: Contact | None, email_norm: str) -> list[ReceivedEmail]:
    theirs = received_emails.of_contact(session, contact.id) if contact else []
    found = {each.id: each for each in [*theirs, *received_emails.of_address(session, email_norm)]}
    return sorted(found.values(), key=lambda each: each.received_at)


def _engagement(did: Engagement) -> dict[str, Any]:
    what = "clicked" if did.clicked else "opened"
    return {"at": iso(did.at), "what": what, "by": did.by, "link": did.link, "ip": did.ip, "agent": did.agent}


def _event_json(event: OutgoingEvent, host: str) -> dict[str, Any]:
    return {"at": iso(event.at), "type": event.kind, "to": host, "state": str(event.state)}


def _person(contact: Contact) -> dict[str, Any]:
    return {
        "email": contact.email,
        "first_name": contact.first_name,
        "name": contact.name,
        "business_name": contact.business_name,
        "timezone": contact.timezone,
        "properties": contact.properties,
        "consent": {
            "at": iso(contact.consent_at) if contact.consent_at else None,
            "text": contact.consent_text,
            "source": contact.consent_source,
            "ip": contact.consent_ip,
        },
        "known_since": iso(contact.created_at),
        "notion_page": contact.notion_page_id,
    }


def _suppression(found: Suppression) -> dict[str, Any]:
    return {"scope": found.scope, "reason": found.reason, "source": found.source, "at": iso(found.created_at)}


def _call(call: HookEvent) -> dict[str, Any]:
    return {
        "at": iso(call.received_at),
        "hook": call.hook,
        "from": call.source,
        "outcome": call.outcome,
        "errors": call.errors,
        "payload": call.payload,
    }


def _booking(booking: Booking) -> dict[str, Any]:
    return {
        "campaign": booking.campaign,
        "event": booking.occurrence,
        "call_at": iso(booking.call_at) if booking.call_at else None,
        "told_at": iso(booking.told_at) if booking.told_at else None,
        "state": booking.state,
        "places": booking.places,
        "series": booking.series,
    }


def _of_others(session: Session, contact: Contact | None, email_norm: str) -> list[HookEvent]:
    own = contact.id if contact else None
    found = pii.naming(session, email_norm, own, lambda said: names(said, email_norm))
    calls = (hook_events.find(session, row_id) for model, _, row_id in found if model is HookEvent)
    return [call for call in calls if call is not None]


def _message(message: Message) -> dict[str, Any]:
    return {
        "at": iso(message.created_at),
        "from": message.sender,
        "to": message.recipient,
        "subject": message.subject,
        "html": message.html,
        "text": message.text,
    }
