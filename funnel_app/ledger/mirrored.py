"""Mirrored: which Notion pages are outdated, who is writing them, and what was written last."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, false, or_, select, union_all, update
from sqlalchemy.orm import Session, selectinload

from funnel_app.ledger.canaries import is_canary
from funnel_app.ledger.models import Contact, Enrolment, EnrolmentState
from funnel_app.ledger.models.base import one_of

Row = Contact | Enrolment


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirrors:
    """Which tables are mirrored."""

    contacts: bool
    sequences: bool


def _is_stale(mirrors: Mirrors) -> ColumnElement[bool]:
    # Not by OR, for which PostgreSQL reads all contacts.
    contact = select(Contact.id).where(Contact.mirror_stale_since <= bindparam("before"))
    enrolment = select(Enrolment.contact_id).where(Enrolment.mirror_stale_since <= bindparam("before"))
    wanted = [each for each, mirrored in ((contact, mirrors.contacts), (enrolment, mirrors.sequences)) if mirrored]
    return and_(Contact.id.in_(union_all(*wanted)) if wanted else false(), ~is_canary())


def stale(session: Session, mirrors: Mirrors, before: datetime, now: datetime, limit: int) -> list[UUID]:
    """Return contacts with rows that last changed before a time and nobody is writing."""
    return list(session.scalars(_stale(mirrors), {"before": before, "now": now, "most": limit}))


# Worded once, as all that the mirror asks often: wording takes longer than asking.
@cache
def _stale(mirrors: Mirrors) -> Select[UUID]:
    free = or_(Contact.mirror_next_at.is_(None), Contact.mirror_next_at <= bindparam("now"))
    return select(Contact.id).where(_is_stale(mirrors), free).order_by(Contact.id).limit(bindparam("most"))


def claim(session: Session, ids: Collection[UUID], now: datetime, token: UUID, until: datetime) -> list[UUID]:
    """Lease these contacts' pages for writing; return those won."""
    won = (
        update(Contact)
        .where(Contact.id.in_(list(ids)), or_(Contact.mirror_next_at.is_(None), Contact.mirror_next_at <= now))
        .values(mirror_token=token, mirror_next_at=until)
    )
    return sorted(session.scalars(won.returning(Contact.id)))


def renew(session: Session, contact_id: UUID, token: UUID, until: datetime) -> bool:
    """Extend the lease on a contact's pages; False if it was lost."""
    held = update(Contact).where(Contact.id == contact_id, Contact.mirror_token == token)
    return bool(session.scalars(held.values(mirror_next_at=until).returning(Contact.id)).all())


def release(
    session: Session, ids: Collection[UUID], token: UUID, not_before: datetime | None, error: str | None
) -> None:
    """Release these contacts' pages, for now or not before a time."""
    held = update(Contact).where(Contact.id.in_(list(ids)), Contact.mirror_token == token)
    session.execute(held.values(mirror_token=None, mirror_next_at=not_before, mirror_error=error))


def refused(session: Session) -> tuple[int, str]:
    """Return how many contacts Notion refused, and its newest message."""
    words = session.scalars(_REFUSED).all()
    return len(words), words[0] or "" if words else ""


def load(session: Session, ids: Collection[UUID]) -> list[tuple[Contact, list[Enrolment]]]:
    """Return contacts with all their enrolments and emails, oldest first."""
    people = session.scalars(_PEOPLE, {"ids": list(ids)})
    theirs: dict[UUID, list[Enrolment]] = {contact_id: [] for contact_id in ids}
    for enrolment in session.scalars(_THEIRS, {"ids": list(ids)}):
        theirs[enrolment.contact_id].append(enrolment)
    return [(contact, theirs[contact.id]) for contact in people]


_REFUSED = (
    select(Contact.mirror_error).where(Contact.mirror_error.is_not(None), ~is_canary()).order_by(Contact.id.desc())
)
_PEOPLE = select(Contact).where(one_of(Contact.id, "ids")).order_by(Contact.id)
_THEIRS = (
    select(Enrolment)
    .where(one_of(Enrolment.contact_id, "ids"))
    .options(selectinload(Enrolment.emails))
    .order_by(Enrolment.created_at, Enrolment.id)
)


def wrote(session: Session, row: Row, page_id: str, written: dict[str, Any]) -> None:
    """Record what a Notion page holds now; it is current unless the row changed since it was read."""
    table = type(row)
    kept = update(table).where(table.id == row.id)
    session.execute(kept.values(notion_page_id=page_id, mirror_written=written))
    if row.mirror_stale_since is not None:
        seen = kept.where(table.mirror_stale_since == row.mirror_stale_since)
        session.execute(seen.values(mirror_stale_since=None))


def owned(session: Session, page_ids: Collection[str]) -> set[str]:
    """Return the pages among these that belong to an enrolment."""
    wanted = select(Enrolment.notion_page_id).where(Enrolment.notion_page_id.in_(list(page_ids)))
    return {page_id for page_id in session.scalars(wanted) if page_id is not None}


def people(session: Session, after: UUID | None, limit: int, *, everybody: bool) -> list[UUID]:
    """Return contacts by id, from one on: those with a running sequence, or all."""
    wanted = select(Contact.id).where(~is_canary()).order_by(Contact.id).limit(limit)
    if after is not None:
        wanted = wanted.where(Contact.id > after)
    if not everybody:
        running = exists().where(
            Enrolment.contact_id == Contact.id,
            Enrolment.state.in_((EnrolmentState.ACTIVE, EnrolmentState.PAUSED)),
        )
        wanted = wanted.where(running)
    return list(session.scalars(wanted))


def mark_stale(session: Session, ids: Collection[UUID], now: datetime) -> None:
    """Have all rows of these contacts compared and rewritten where they differ, without delay."""
    session.execute(update(Contact).where(Contact.id.in_(list(ids))).values(mirror_stale_since=now))
    session.execute(update(Enrolment).where(Enrolment.contact_id.in_(list(ids))).values(mirror_stale_since=now))
    unheld = update(Contact).where(Contact.id.in_(list(ids)), Contact.mirror_token.is_(None))
    session.execute(unheld.values(mirror_next_at=None))
