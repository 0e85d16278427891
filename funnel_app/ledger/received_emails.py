"""Received emails: each stored once before it is processed."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from funnel_app.ledger.database.insert_or_ignore import insert_or_ignore
from funnel_app.ledger.models import Email, Enrolment
from funnel_app.ledger.models.received_emails import Forward, Reading, ReceivedEmail, is_open
from funnel_app.ledger.models.types import UtcTime

BLANK: Mapping[str, Any] = {
    "sender": "erased",
    "name": None,
    "subject": "erased",
    "attachments": [],
    "text": None,
    "note": None,
    "reading": Reading.READ,
    "forward": Forward.NONE,
}


def keep(session: Session, row: Mapping[str, Any]) -> bool:
    """Store an incoming email; False if it is already stored."""
    values = {"attachments": [], "ended": [], "attempts": 0, "forwards": 0, "forward": Forward.NONE, **row}
    return insert_or_ignore(session, ReceivedEmail, values, ["resend_id"])


def find(session: Session, received_id: UUID, *, lock: bool = False) -> ReceivedEmail | None:
    """Return an email by its id; None if unknown."""
    return session.get(ReceivedEmail, received_id, with_for_update=lock, populate_existing=lock)


def any_free(session: Session, now: datetime) -> bool:
    """Say whether any email can be processed now."""
    return session.scalars(_ANY_FREE, {"now": now}).first() is not None


def take(session: Session, now: datetime, lease: timedelta, limit: int) -> list[ReceivedEmail]:
    """Lease emails that need processing.

    Those from leads' addresses come first, so that a flood from elsewhere does not delay them.
    """
    ids = list(session.scalars(_NEXT, {"now": now, "most": limit}))
    won = update(ReceivedEmail).where(ReceivedEmail.id.in_(ids), is_open(), _free(now))
    values = {"lease_until": now + lease, "attempts": ReceivedEmail.attempts + 1}
    found = session.scalars(won.values(**values).returning(ReceivedEmail)).all()
    return sorted(found, key=lambda each: (each.contact_id is None, each.id))


def _free(now: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    leased = ReceivedEmail.lease_until.is_not(None) & (ReceivedEmail.lease_until > now)
    return and_(~leased, or_(ReceivedEmail.next_try_at.is_(None), ReceivedEmail.next_try_at <= now))


_OPEN = select(ReceivedEmail.id).where(is_open(), _free(bindparam("now", type_=UtcTime)))
_ANY_FREE = _OPEN.limit(1)
_NEXT = _OPEN.order_by(ReceivedEmail.contact_id.is_(None), ReceivedEmail.id).limit(bindparam("most"))
_KEPT = ReceivedEmail.forward.in_([Forward.KEPT, Forward.REFUSED, Forward.UNSURE])
_KEPT_SINCE = select(func.count()).where(ReceivedEmail.received_at >= bindparam("since"), _KEPT)
_SENT_BY = select(func.count()).where(
    ReceivedEmail.sender == bindparam("sender"), ReceivedEmail.received_at >= bindparam("since")
)
_WAITING = select(func.count(), func.min(ReceivedEmail.received_at)).where(is_open())
_LAST_AT = select(func.max(ReceivedEmail.received_at))
_OLDEST = select(ReceivedEmail.note).where(is_open()).order_by(ReceivedEmail.received_at).limit(1)


def release(session: Session, ids: Collection[UUID]) -> None:
    """Return these to the queue as if they had not been taken."""
    mine = update(ReceivedEmail).where(ReceivedEmail.id.in_(list(ids)))
    session.execute(mine.values(lease_until=None, attempts=ReceivedEmail.attempts - 1))


def postpone(session: Session, received_id: UUID, until: datetime, note: str) -> None:
    """Record why processing failed, and when to retry."""
    tried = update(ReceivedEmail).where(ReceivedEmail.id == received_id)
    session.execute(tried.values(lease_until=None, next_try_at=until, note=note))


def hold(session: Session, why: str) -> None:
    """Stop automatic forwarding of waiting emails, since they may have been forwarded. Unread ones are still read."""
    waits = update(ReceivedEmail).where(is_open())
    session.execute(waits.values(forward=Forward.UNSURE, note=why, lease_until=None, next_try_at=None))


def count_from(session: Session, sender: str, since: datetime) -> int:
    """Count the emails from an address since a time."""
    return session.scalar(_SENT_BY, {"sender": sender, "since": since}) or 0


def count_forwarded(session: Session, since: datetime, sender: str | None = None, *, proven: bool) -> int:
    """Count the emails forwarded, or about to be, since a time, of one sender or all, proven or not."""
    proof = ReceivedEmail.proof
    which = proof == "references" if proven else proof.is_distinct_from("references")
    ways = ReceivedEmail.forward.in_([Forward.DUE, Forward.SENT, Forward.UNSURE])
    wanted = select(func.count()).where(ReceivedEmail.received_at >= since, ways, which)
    return session.scalar(wanted.where(ReceivedEmail.sender == sender) if sender else wanted) or 0


def count_kept_since(session: Session, since: datetime) -> int:
    """Count the emails not forwarded since a time: a limit applied, or the receiver refused."""
    return session.scalar(_KEPT_SINCE, {"since": since}) or 0


def waiting_since(session: Session) -> tuple[int, datetime | None, str | None]:
    """Return how many emails wait, since when, and what the oldest one waits for."""
    number, since = session.execute(_WAITING).one()
    return number, since, session.scalars(_OLDEST).first() if number else None


def last_at(session: Session) -> datetime | None:
    """Return when the newest email arrived; None if none ever did."""
    return session.scalar(_LAST_AT)


def newest(session: Session, limit: int, before: UUID | None = None, kind: str | None = None) -> list[ReceivedEmail]:
    """Return the newest emails, of one kind or all; with `before`, older ones."""
    wanted = select(ReceivedEmail).order_by(ReceivedEmail.id.desc()).limit(limit)
    if kind:
        wanted = wanted.where(ReceivedEmail.kind == kind)
    return list(session.scalars(wanted.where(ReceivedEmail.id < before) if before else wanted))


def of_contact(session: Session, contact_id: UUID) -> list[ReceivedEmail]:
    """Return all emails from a lead, oldest first."""
    theirs = select(ReceivedEmail).where(ReceivedEmail.contact_id == contact_id)
    return list(session.scalars(theirs.order_by(ReceivedEmail.received_at, ReceivedEmail.id)))


def of_address(session: Session, sender: str) -> list[ReceivedEmail]:
    """Return all emails from an address, oldest first."""
    theirs = select(ReceivedEmail).where(ReceivedEmail.sender == sender)
    return list(session.scalars(theirs.order_by(ReceivedEmail.received_at, ReceivedEmail.id)))


def erase(session: Session, contact_id: UUID | None, sender: str) -> int:
    """Blank all emails from a person or their address; return how many."""
    theirs = ReceivedEmail.sender == sender
    if contact_id is not None:
        theirs = or_(theirs, ReceivedEmail.contact_id == contact_id)
    blanked = update(ReceivedEmail).where(theirs).values(**BLANK).returning(ReceivedEmail.id)
    return len(session.scalars(blanked).all())


def forget_texts(session: Session, before: datetime) -> int:
    """Delete non-leads' emails before a time, and the texts of leads'; return how many."""
    old = ReceivedEmail.received_at < before, ReceivedEmail.reading != Reading.WAITING
    gone = session.scalars(delete(ReceivedEmail).where(*old, ReceivedEmail.contact_id.is_(None)).returning(_ID)).all()
    emptied = update(ReceivedEmail).where(*old, ReceivedEmail.text.is_not(None)).values(text=None, attachments=[])
    return len(gone) + len(session.scalars(emptied.returning(_ID)).all())


_ID = ReceivedEmail.id


def answered(session: Session, message_ids: Collection[str]) -> tuple[Email, UUID] | None:
    """Return our newest email with one of these Message-IDs, and its contact; None if there is none."""
    wanted = select(Email, Enrolment.contact_id).join(Enrolment, Email.enrolment_id == Enrolment.id)
    rows = session.execute(wanted.where(Email.message_id.in_(list(message_ids))).order_by(Email.id.desc()).limit(1))
    found = rows.first()
    return (found[0], found[1]) if found else None


def without_message_id(session: Session, contact_id: UUID, limit: int) -> dict[UUID, str]:
    """Return a lead's newest emails with Resend's id and without a Message-ID: Resend's id by ours."""
    theirs = select(Email.id, Email.resend_id).join(Enrolment, Email.enrolment_id == Enrolment.id)
    unknown = Enrolment.contact_id == contact_id, Email.resend_id.is_not(None), Email.message_id.is_(None)
    return {
        row[0]: str(row[1]) for row in session.execute(theirs.where(*unknown).order_by(Email.id.desc()).limit(limit))
    }


def learn_message_ids(session: Session, known: Mapping[UUID, str]) -> None:
    """Store the Message-IDs of these emails."""
    for email_id, message_id in known.items():
        session.execute(update(Email).where(Email.id == email_id).values(message_id=message_id))
