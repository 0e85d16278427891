"""Contacts: one row a person, locked first by every transaction that changes their data."""

import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from funnel_app.ledger.canaries import is_canary
from funnel_app.ledger.database.insert_or_ignore import insert_or_ignore
from funnel_app.ledger.models import Contact, Email, Enrolment
from funnel_app.ledger.models.base import one_of
from funnel_app.rules.emails.reports import ReportedEnrolment
from funnel_app.rules.people.contact import COLUMNS, without_half_evidence

ERASED = "erased:"
_OF_ADDRESS = select(Contact).where(Contact.email_norm == bindparam("address"))
_OF_IDS = select(Contact).where(one_of(Contact.id, "ids"))
# As it is once it is locked: the session may have read it before somebody else changed it.
_LOCKED_ADDRESS = _OF_ADDRESS.with_for_update().execution_options(populate_existing=True)
_LOCKED = select(Contact.id).where(one_of(Contact.id, "ids")).order_by(Contact.id).with_for_update()
_OWNERS = select(Enrolment.contact_id).join(Email).where(one_of(Email.id, "ids"))


def upsert(session: Session, email: str, email_norm: str, facts: Mapping[str, Any], now: datetime) -> Contact:
    """Return this address's contact, locked and updated; fields that a hook leaves out stay.

    `facts` may hold the columns of `rules.people.contact`; everything else goes into `properties`. A
    `guessed_first_name` is used only if there is no first name. Evidence of consent is kept whole, from one source.
    """
    contact, _ = enter(session, email, email_norm, now)
    called = (contact.name, contact.first_name)
    given = {name: value for name, value in facts.items() if value is not None}
    guess = given.pop("guessed_first_name", None)
    columns = {name: given[name] for name in COLUMNS if name in given}
    for name, value in without_half_evidence(contact, columns).items():
        setattr(contact, name, value)
    contact.first_name = contact.first_name or guess
    contact.email = email
    contact.properties = {**contact.properties, **{k: v for k, v in given.items() if k not in COLUMNS}}
    contact.updated_at = contact.mirror_stale_since = now
    if called != (contact.name, contact.first_name):
        theirs = update(Enrolment).where(Enrolment.contact_id == contact.id)
        session.execute(theirs.values(mirror_stale_since=now))
    return contact


def enter(session: Session, email: str, email_norm: str, now: datetime) -> tuple[Contact, bool]:
    """Return this address's contact, locked and as it is now, and whether it was made just now, with nothing known."""
    row = {
        "email": email,
        "email_norm": email_norm,
        "properties": {},
        "unsubscribe_token": secrets.token_urlsafe(32),
        "created_at": now,
        "updated_at": now,
    }
    while True:
        is_new = insert_or_ignore(session, Contact, row, ["email_norm"])
        contact = session.scalars(_LOCKED_ADDRESS, {"address": email_norm}).one_or_none()
        # None if they were erased while the lock was waited for: the address is nobody's now.
        if contact is not None:
            return contact, is_new


def claim(session: Session, email_norm: str, now: datetime) -> Contact | None:
    """Return this address's contact, locked; None if it is nobody's, and until the transaction ends it stays so."""
    if _has_all(session):
        return find(session, email_norm)
    contact, is_new = enter(session, email_norm, email_norm, now)
    if not is_new:
        return contact
    # Who inserts the same address waits for our transaction, though the row is gone within it.
    session.delete(contact)
    session.flush()
    return None


def is_erased(contact: Contact | ReportedEnrolment) -> bool:
    """Say whether nothing is left of this person but figures and the unsubscribe token."""
    return contact.email_norm.startswith(ERASED)


def lock(session: Session, ids: Iterable[UUID]) -> None:
    """Lock these contacts in a fixed order, so that transactions do not deadlock.

    SQLite's writers have the whole ledger to themselves.
    """
    if _has_all(session):
        return
    session.execute(_LOCKED, {"ids": list(ids)}).all()


def find(session: Session, email_norm: str) -> Contact | None:
    """Return the contact with this normalised address; None if there is none."""
    return session.scalars(_OF_ADDRESS, {"address": email_norm}).one_or_none()


def by_ids(session: Session, ids: Iterable[UUID]) -> dict[UUID, Contact]:
    """Return these contacts by their ids."""
    return {each.id: each for each in session.scalars(_OF_IDS, {"ids": list(ids)})}


def lock_known(session: Session, ids: Collection[UUID]) -> dict[UUID, Contact]:
    """Return these contacts by their ids, locked in a fixed order; without those who were erased meanwhile."""
    lock(session, ids)
    return {id_: contact for id_, contact in by_ids(session, ids).items() if not is_erased(contact)}


def find_by_token(session: Session, token: str) -> Contact | None:
    """Return the contact with this unsubscribe token; None if there is none."""
    return session.scalars(select(Contact).where(Contact.unsubscribe_token == token)).one_or_none()


def lock_of_emails(session: Session, email_ids: Iterable[UUID]) -> None:
    """Lock the contacts that these emails go to."""
    if _has_all(session):
        return
    lock(session, session.scalars(_OWNERS, {"ids": list(email_ids)}))


def _has_all(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def addresses_like(session: Session, email_norm: str, limit: int) -> list[str]:
    """Return addresses with the same beginning or end and a similar length; canaries excluded."""
    local, _, domain = email_norm.partition("@")
    alike = or_(
        Contact.email_norm.startswith(email_norm[:3], autoescape=True),
        Contact.email_norm.startswith(f"{local}@", autoescape=True),
        Contact.email_norm.endswith(f"{local[-3:]}@{domain}", autoescape=True),
    )
    length = func.length(Contact.email_norm)
    wanted = select(Contact.email_norm).where(
        alike, length.between(len(email_norm) - 3, len(email_norm) + 3), ~is_canary()
    )
    erased = Contact.email_norm.startswith(ERASED, autoescape=True)
    return list(session.scalars(wanted.where(~erased).order_by(Contact.email_norm).limit(limit)))
