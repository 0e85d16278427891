"""Subjects: what a button acts on, in words, and the lead whose page shows it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up
from funnel_app.ledger import contacts, emails, enrolments
from funnel_app.ledger.queries import leads


@dataclass(frozen=True)
class Subject:
    """What an action is about; `contact_id` is the lead whose page shows it."""

    words: str
    contact_id: UUID


def of_enrolment(deps: Deps, enrolment_id: UUID) -> Subject | None:
    """Return an enrolment in words; None if the id is unknown."""
    with deps.reads() as session:
        enrolment = enrolments.find(session, enrolment_id)
        contact = leads.get(session, enrolment.contact_id) if enrolment else None
    if enrolment is None or contact is None:
        return None
    title = deps.registry.title_of_sequence(enrolment.campaign, enrolment.sequence)
    return Subject(f"“{title}” for {contact.email}", contact.id)


def of_email(deps: Deps, email_id: UUID) -> Subject | None:
    """Return an email in words; None if the id is unknown."""
    with deps.reads() as session:
        found = emails.load(session, [email_id])
    if not found:
        return None
    run = found[0].enrolment
    words = f"“{deps.registry.title_of_email(found[0].template_key)}” for {run.contact.email}"
    return Subject(words, run.contact_id)


def of_contact(deps: Deps, contact_id: UUID) -> Subject | None:
    """Return a contact's address; None if the id is unknown."""
    with deps.reads() as session:
        contact = leads.find(session, contact_id)
    return Subject(contact.email, contact.id) if contact else None


def contact_of_address(reads: sessionmaker[Session], address: str) -> UUID | None:
    """Return the lead with an address; None if unknown."""
    with reads() as session:
        contact = contacts.find(session, looked_up(address))
    return contact.id if contact else None
