"""Body: the JSON of an event for a receiver."""

import json
from collections.abc import Mapping
from typing import Any

from funnel_app.campaigns.registry import Registry
from funnel_app.flows.receipt import iso
from funnel_app.ledger import contacts
from funnel_app.ledger.models import Contact
from funnel_app.ledger.models.outbox import OutgoingEvent


def body_of(event: OutgoingEvent, contact: Contact, registry: Registry) -> bytes:
    """Return an event as JSON: type, time, the lead as known today, and the facts."""
    data = {"lead": _lead(contact), **_named(event.facts, registry)}
    return json.dumps(
        {"type": event.kind, "timestamp": iso(event.at), "data": data}, ensure_ascii=False, separators=(",", ":")
    ).encode()


def _lead(contact: Contact) -> dict[str, Any]:
    if contacts.is_erased(contact):
        return {"id": str(contact.id)}
    return {
        "id": str(contact.id),
        "email": contact.email,
        "first_name": contact.first_name,
        "business_name": contact.business_name,
    }


def _named(facts: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """Return the facts with titles beside the files' names."""
    named = dict(facts)
    if "sequence" in facts:
        named["sequence_title"] = registry.title_of_sequence(facts["campaign"], facts["sequence"])
    if "template" in facts:
        named["email_title"] = registry.title_of_email(facts["template"])
    return named
