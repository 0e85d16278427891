"""Suppressions: addresses not to be mailed; they outlive the contact as a peppered hash."""

import hmac
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Delete, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from funnel_app.ledger.database.compiled import Question
from funnel_app.ledger.database.insert_or_ignore import insert_or_ignore
from funnel_app.ledger.models import Contact, Scope, Suppression
from funnel_app.ledger.models.base import one_of

UNSUBSCRIBED = "unsubscribe"


def address_hash(email_norm: str, pepper: str) -> str:
    """Return the hash that identifies an address after erasure; it cannot be guessed without the pepper."""
    return hmac.digest(pepper.encode(), email_norm.encode(), "sha256").hex()


def peppers_of(pepper: str) -> list[str]:
    """Return the peppers of a comma-separated list, newest first; older ones identify earlier erasures."""
    return [part.strip() for part in pepper.split(",") if part.strip()]


def add(
    session: Session, email_norm: str, pepper: str, *, scope: Scope, reason: str, source: str, now: datetime
) -> bool:
    """Suppress an address; False if it already was, and the first reason stays.

    One that was erased is kept by its hash only, whoever tells it again.
    """
    known = of_address(session, email_norm, pepper)
    if any(each.scope == scope for each in known):
        return False
    row = {
        "email_norm": None if any(each.email_norm is None for each in known) else email_norm,
        "address_hash": address_hash(email_norm, peppers_of(pepper)[0]),
        "scope": scope,
        "reason": reason,
        "source": source,
        "created_at": now,
    }
    added = insert_or_ignore(session, Suppression, row, ["address_hash", "scope"])
    if added:
        session.execute(update(Contact).where(Contact.email_norm == email_norm).values(mirror_stale_since=now))
    return added


def find(session: Session, email_norm: str, pepper: str, kind: str) -> Suppression | None:
    """Return a suppression of an address for this kind of mail; None if there is none."""
    return first_of(of_address(session, email_norm, pepper), kind)


def strictest(session: Session, email_norm: str, pepper: str) -> Suppression | None:
    """Return the suppression of an address that forbids most; None if nothing does."""
    found = of_address(session, email_norm, pepper)
    return first_of(found, "transactional") or next(iter(found), None)


def first_of(found: Iterable[Suppression], kind: str) -> Suppression | None:
    """Return the first suppression for this kind of mail; None if there is none."""
    scopes = [Scope.ALL, Scope.MARKETING] if kind == "marketing" else [Scope.ALL]
    return next((each for each in found if each.scope in scopes), None)


def of_address(session: Session, email_norm: str, pepper: str) -> list[Suppression]:
    """Return all suppressions of an address, oldest first, found also by hash."""
    return list(session.scalars(_OF_ADDRESS, {"address": email_norm, "hashes": _hashes(email_norm, pepper)}))


_OF_ADDRESS = (
    select(Suppression)
    .where((Suppression.email_norm == bindparam("address")) | one_of(Suppression.address_hash, "hashes"))
    .order_by(Suppression.created_at, Suppression.id)
)


def of_addresses(session: Session, addresses: Collection[str], pepper: str) -> dict[str, list[Suppression]]:
    """Return the suppressions of each address, oldest first; one query where there is none."""
    found: dict[str, list[Suppression]] = {address: [] for address in addresses}
    by_hash = {address_hash(address, each): address for each in peppers_of(pepper) for address in found}
    known = [row["id"] for row in _KNOWN.ask(session.connection(), addresses=found, hashes=by_hash)] if found else ()
    if known:
        wanted = select(Suppression).where(Suppression.id.in_(known))
        for each in session.scalars(wanted.order_by(Suppression.created_at, Suppression.id)):
            found[by_hash.get(each.address_hash) or str(each.email_norm)].append(each)
    return found


# Made once: each batch asks it, and mostly there is none.
_KNOWN = Question(
    select(Suppression.id).where(
        one_of(Suppression.email_norm, "addresses") | one_of(Suppression.address_hash, "hashes")
    )
)


def newest_of(session: Session, source: str) -> datetime | None:
    """Return when an address was last suppressed by this source; None if never."""
    return session.scalars(select(func.max(Suppression.created_at)).where(Suppression.source == source)).one()


def addresses_of(session: Session, source: str, until: datetime) -> list[str]:
    """Return the addresses that this source suppressed until a time, without those that are kept by their hash only."""
    known = Suppression.source == source, Suppression.email_norm.is_not(None), Suppression.created_at <= until
    return [str(address) for address in session.scalars(select(Suppression.email_norm).where(*known))]


def remove(session: Session, email_norm: str, pepper: str, now: datetime) -> int:
    """Remove all suppressions of an address; return how many."""
    return _remove(session, email_norm, delete(Suppression).where(_is_of(email_norm, pepper)), now)


def remove_unsubscribed(session: Session, email_norm: str, pepper: str, since: datetime, now: datetime) -> int:
    """Remove an address's own unsubscribes since a time; return how many."""
    newer = Suppression.source == UNSUBSCRIBED, Suppression.created_at >= since
    return _remove(session, email_norm, delete(Suppression).where(_is_of(email_norm, pepper), *newer), now)


def forget_address(session: Session, email_norm: str) -> None:
    """Reduce an address to its hash."""
    session.execute(update(Suppression).where(Suppression.email_norm == email_norm).values(email_norm=None))


def _remove(session: Session, email_norm: str, gone: Delete, now: datetime) -> int:
    number = len(session.scalars(gone.returning(Suppression.id)).all())
    if number:
        # Its Notion page shows the suppression.
        theirs = update(Contact).where(Contact.email_norm == email_norm)
        session.execute(theirs.values(mirror_stale_since=now))
    return number


def _is_of(email_norm: str, pepper: str) -> ColumnElement[bool]:
    return (Suppression.email_norm == email_norm) | Suppression.address_hash.in_(_hashes(email_norm, pepper))


def _hashes(email_norm: str, pepper: str) -> list[str]:
    return [address_hash(email_norm, each) for each in peppers_of(pepper)]
