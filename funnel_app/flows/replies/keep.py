"""Keep: store an incoming email before anything else is done."""

import re
from dataclasses import dataclass
from email.utils import parseaddr

from sqlalchemy.orm import Session

from funnel_app.deps import Deps
from funnel_app.flows.addresses import LONGEST, looked_up
from funnel_app.ledger import contacts, received_emails
from funnel_app.ledger.models import Contact
from funnel_app.ledger.models.received_emails import Reading
from funnel_app.letters.incoming_emails import decoded, subject_of
from funnel_app.letters.words import one_line

# Display names with an @ may lack the quotation marks that RFC 5322 requires.
IN_BRACKETS = re.compile(r'^((?:[^"<>]|"[^"]*")*)<([^<>\s]+@[^<>\s]+)>')
LONGEST_NAME, MOST_ATTACHMENTS = 120, 20


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What Resend's webhook says of an incoming email: sender and subject, no text and no headers."""

    resend_id: str
    sender: str
    subject: str
    attachments: tuple[str, ...] = ()


def keep_received(deps: Deps, arrival: Arrival) -> bool:
    """Store an incoming email, to be read and forwarded; False if already stored. Safe to repeat."""
    name, address = _who(arrival.sender[:1000])
    # An email without a valid sender is forwarded too, as it is.
    sender = looked_up(address or arrival.sender)[:LONGEST]
    with deps.sessions.begin() as session:
        contact = contact_of(session, sender)
        row = {
            "resend_id": arrival.resend_id,
            "received_at": deps.now(),
            "sender": sender,
            "name": one_line(decoded(name))[:LONGEST_NAME] or None,
            "subject": subject_of(arrival.subject),
            "attachments": [one_line(each)[:LONGEST_NAME] for each in arrival.attachments[:MOST_ATTACHMENTS]],
            "contact_id": contact.id if contact else None,
            "reading": Reading.WAITING,
        }
        return received_emails.keep(session, row)


def _who(sender: str) -> tuple[str, str]:
    found = IN_BRACKETS.match(sender)
    return (found[1].strip(' "'), found[2]) if found else parseaddr(sender)


def contact_of(session: Session, sender: str) -> Contact | None:
    """Return the lead with this address, or with it minus the +tag; None if unknown."""
    local, _, domain = sender.rpartition("@")
    plain = f"{local.partition('+')[0]}@{domain}"
    return contacts.find(session, sender) or (contacts.find(session, plain) if plain != sender else None)
