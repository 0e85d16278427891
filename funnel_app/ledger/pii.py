"""PII: what the ledger knows of one person, to export or to erase; figures and the unsubscribe token stay."""

import re
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, func, select, update
from sqlalchemy.orm import Session

from funnel_app.campaigns.reasons import without_words
from funnel_app.ledger.contacts import ERASED, lock
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment, HookEvent, Message, Request
from funnel_app.ledger.models.base import Base
from funnel_app.rules.calendar.whole import digest

BLANK: dict[str, Any] = {
    "email": "erased",
    "first_name": None,
    "name": None,
    "business_name": None,
    "properties": {},
    "timezone": None,
    "consent_at": None,
    "consent_text": None,
    "consent_source": None,
    "consent_ip": None,
}
# Columns that store payloads verbatim, and whose they are.
SAID: tuple[tuple[type[Base], str, str], ...] = (
    (HookEvent, "payload", "contact_id"),
    (Contact, "properties", "id"),
    (Enrolment, "variables", "contact_id"),
)
SAID_IN = [model.__tablename__ for model, _, _ in SAID]
ASCII = re.compile("[a-z0-9]+")
Found = tuple[type[Base], str, UUID]
BLANK_MESSAGE: dict[str, Any] = {"recipient": "erased", "subject": "erased", "html": None, "text": None, "headers": {}}


def messages_of(session: Session, contact_id: UUID) -> list[Message]:
    """Return all frozen messages of a contact, oldest first."""
    wanted = select(Message).where(Message.email_id.in_(_email_ids(contact_id)))
    return list(session.scalars(wanted.order_by(Message.created_at, Message.id)))


def recipients_of(session: Session, contact_id: UUID) -> list[str]:
    """Return each address that a contact's messages went to."""
    theirs = Message.email_id.in_(_email_ids(contact_id))
    return list(session.scalars(select(Message.recipient).where(theirs).distinct()))


def erase(session: Session, contact: Contact, email_norm: str, now: datetime) -> None:
    """Blank everything that identifies a locked contact; states, times and the unsubscribe token stay."""
    ids = _email_ids(contact.id)
    session.execute(update(Message).where(Message.email_id.in_(ids)).values(**BLANK_MESSAGE))
    session.execute(update(Enrolment).where(Enrolment.contact_id == contact.id).values(variables={}))
    session.execute(
        update(HookEvent)
        .where(HookEvent.contact_id == contact.id)
        .values(payload={}, errors=None, idempotency_key=None, caller=None, mailbox=None)
    )
    _blank_words(session, contact.id, email_norm)
    _leave_lists(session, digest(email_norm))
    for name, value in BLANK.items():
        setattr(contact, name, value)
    contact.email_norm = f"{ERASED}{contact.id}"
    # Not mirrored again: the pages are removed.
    contact.mirror_stale_since = contact.mirror_written = contact.mirror_error = None
    contact.mirror_token = contact.mirror_next_at = None
    contact.updated_at = now


def naming(session: Session, email_norm: str, own: UUID | None, is_named: Callable[[Any], bool]) -> list[Found]:
    """Return rows of other people's calls that name this person, such as a guest in somebody's booking.

    Only rows with the longest part of the address are inspected by `is_named`.
    """
    parts = ASCII.findall(email_norm.rpartition("@")[0])
    found: list[Found] = []
    for model, name, owner in SAID:
        table = model.metadata.tables[model.__tablename__]
        column, whose = table.c[name], table.c[owner]
        rows = select(table.c.id, column).where(whose.is_not(None))
        if own is not None:
            rows = rows.where(whose != own)
        if parts:
            rows = rows.where(func.lower(cast(column, Text)).contains(max(parts, key=len), autoescape=True))
        found += [(model, name, row_id) for row_id, said in session.execute(rows) if is_named(said)]
    return found


def rewrite(session: Session, found: Iterable[Found], change: Callable[[Any], Any]) -> None:
    """Replace these rows' payloads, with their people locked: a call of theirs would write the old ones again."""
    rows = list(found)
    lock(session, _owners(session, rows))
    for model, name, row_id in rows:
        row = session.get(model, row_id, with_for_update=True)
        if row is not None:
            setattr(row, name, change(getattr(row, name)))


def _owners(session: Session, rows: Collection[Found]) -> set[UUID]:
    owners = set[UUID]()
    for model, _, owner in SAID:
        table, ids = model.metadata.tables[model.__tablename__], [row_id for of, _, row_id in rows if of is model]
        owners.update(session.scalars(select(table.c[owner]).where(table.c.id.in_(ids))) if ids else ())
    return owners


def _blank_words(session: Session, contact_id: UUID, email_norm: str) -> None:
    # Servers often quote the mailbox in a bounce.
    for event in session.scalars(select(EmailEvent).where(EmailEvent.email_id.in_(_email_ids(contact_id)))):
        event.detail = _masked(without_words(event.detail), email_norm)
    for email in session.scalars(select(Email).where(Email.id.in_(_email_ids(contact_id)))):
        email.reason = _masked(email.reason, email_norm)
    theirs = select(Email.request_id).where(Email.id.in_(_email_ids(contact_id)))
    for request in session.scalars(select(Request).where(Request.id.in_(theirs), Request.last_error.is_not(None))):
        request.last_error = _masked(request.last_error, email_norm)
    for enrolment in session.scalars(select(Enrolment).where(Enrolment.contact_id == contact_id)):
        enrolment.exit_reason = _masked(enrolment.exit_reason, email_norm)
        enrolment.mirror_stale_since = enrolment.mirror_written = None
    session.flush()


def _leave_lists(session: Session, listed: str) -> None:
    """Remove a person's digest from messages about all attendees."""
    for event in session.scalars(select(HookEvent).where(HookEvent.whole.is_not(None))):
        if event.whole and listed in event.whole["of"]:
            event.whole = {**event.whole, "of": [each for each in event.whole["of"] if each != listed]}
            event.payload = {}


def _masked(words: str | None, email_norm: str) -> str | None:
    return None if words is None else "erased" if email_norm in words.lower() else words


def pages_of_erased(session: Session) -> list[str]:
    """Return the Notion pages that still exist of erased contacts and their enrolments."""
    erased = (Contact.email_norm > ERASED, Contact.email_norm < f"{ERASED}g")
    of_contacts = select(Contact.notion_page_id).where(*erased, Contact.notion_page_id.is_not(None))
    of_enrolments = select(Enrolment.notion_page_id).join(Contact).where(*erased, Enrolment.notion_page_id.is_not(None))
    return [str(page) for wanted in (of_contacts, of_enrolments) for page in session.scalars(wanted)]


def known_pages(session: Session, page_ids: Collection[str]) -> set[str]:
    """Return those of these Notion pages that a contact or an enrolment has."""
    asked = [select(each.notion_page_id).where(each.notion_page_id.in_(page_ids)) for each in (Contact, Enrolment)]
    return {str(page) for wanted in asked for page in session.scalars(wanted)}


def forget_page(session: Session, page_id: str) -> None:
    """Forget a Notion page that is gone."""
    for model in (Contact, Enrolment):
        session.execute(update(model).where(model.notion_page_id == page_id).values(notion_page_id=None))


def _email_ids(contact_id: UUID) -> Any:
    return select(Email.id).join(Enrolment).where(Enrolment.contact_id == contact_id)
