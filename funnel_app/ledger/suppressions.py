"""Suppressions: addresses not to be mailed, which outlive the contact as a peppered hash."""

import hashlib
import hmac
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from funnel_app.ledger.models import Contact, Scope, Suppression
from funnel_app.ledger.once import insert_once


def address_hash(email_norm: str, pepper: str) -> str:
    """Return the hash under which an address stays known after it is erased; without the pepper nobody can guess it."""
    return hmac.new(pepper.encode(), email_norm.encode(), hashlib.sha256).hexdigest()


def add(
    session: Session, email_norm: str, pepper: str, *, scope: Scope, reason: str, source: str, now: datetime
) -> bool:
    """Suppress an address; False where it already was, and the first reason stays."""
    row = {
        "email_norm": email_norm,
        "address_hash": address_hash(email_norm, pepper),
        "scope": scope,
        "reason": reason,
        "source": source,
        "created_at": now,
    }
    added = insert_once(session, Suppression, row, ["address_hash", "scope"])
    if added:
        session.execute(update(Contact).where(Contact.email_norm == email_norm).values(mirror_stale_since=now))
    return added


def find(session: Session, email_norm: str, pepper: str, kind: str) -> Suppression | None:
    """Return what forbids mail of this kind (marketing or transactional) to an address; None if nothing does."""
    scopes = [Scope.ALL, Scope.MARKETING] if kind == "marketing" else [Scope.ALL]
    known = (Suppression.email_norm == email_norm) | (Suppression.address_hash == address_hash(email_norm, pepper))
    wanted = select(Suppression).where(known, Suppression.scope.in_(scopes)).order_by(Suppression.created_at)
    return session.scalars(wanted.limit(1)).one_or_none()
