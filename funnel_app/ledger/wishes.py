"""Wishes: requests entered in Notion, from when they are seen until Notion shows the answer.

A wish has the id of the action that carries it out, so that none is carried out twice.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, String, Text, UniqueConstraint, and_, delete, or_, select, tuple_, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from funnel_app.ledger.database.insert_or_ignore import insert_or_ignore
from funnel_app.ledger.models import Contact, Enrolment
from funnel_app.ledger.models.base import Base
from funnel_app.ledger.models.types import new_id


class Wish(Base):
    """One wish in a row of Notion that is not answered there yet; `answer` is its result."""

    __tablename__ = "wishes"
    __table_args__ = (UniqueConstraint("page_id", "property"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    page_id: Mapped[str] = mapped_column(String(36))
    property: Mapped[str] = mapped_column(String(32))
    value: Mapped[str] = mapped_column(String(100))
    who: Mapped[str] = mapped_column(String(60))
    seen_at: Mapped[datetime]
    answer: Mapped[str | None] = mapped_column(Text)


def keep(session: Session, page_id: str, name: str, value: str, who: str, now: datetime) -> Wish:
    """Return the wish in a row's property, new or stored before; another value is another wish."""
    theirs = Wish.page_id == page_id, Wish.property == name
    session.execute(delete(Wish).where(*theirs, Wish.value != value))
    row = {"page_id": page_id, "property": name, "value": value, "who": who, "seen_at": now}
    insert_or_ignore(session, Wish, row, ["page_id", "property"])
    return session.scalars(select(Wish).where(*theirs)).one()


def answer(session: Session, wish_id: UUID, words: str) -> None:
    """Record a wish's result."""
    session.execute(update(Wish).where(Wish.id == wish_id).values(answer=words))


def forget(session: Session, wish_id: UUID) -> None:
    """Delete a wish that is answered in Notion."""
    session.execute(delete(Wish).where(Wish.id == wish_id))


def _settled(names: Collection[str], before: datetime) -> ColumnElement[bool]:
    """Return the condition that a wish of these properties is answered, or is old and abandoned."""
    return and_(Wish.property.in_(list(names)), or_(Wish.answer.is_not(None), Wish.seen_at < before))


def any_settled(session: Session, names: Collection[str], before: datetime) -> bool:
    """Say whether a wish of these properties is answered here and maybe not yet in Notion, or abandoned."""
    return session.scalars(select(Wish.id).where(_settled(names, before)).limit(1)).first() is not None


def forget_gone(
    session: Session, names: Collection[str], before: datetime, standing: Collection[tuple[str, str]]
) -> None:
    """Delete the wishes of these properties that no row shows any more: the same one again would be new.

    Notion took the answer after all, or somebody withdrew an old unanswered wish.
    """
    gone = delete(Wish).where(_settled(names, before))
    if standing:
        gone = gone.where(tuple_(Wish.page_id, Wish.property).not_in(list(standing)))
    session.execute(gone)


def enrolment_of(session: Session, page_id: str) -> UUID | None:
    """Return the enrolment of a Notion row; None if Funnel did not write it."""
    return session.scalars(select(Enrolment.id).where(Enrolment.notion_page_id == page_id)).first()


def contact_of(session: Session, page_id: str) -> Contact | None:
    """Return the contact of a Notion row; None if Funnel does not know it."""
    return session.scalars(select(Contact).where(Contact.notion_page_id == page_id)).first()


def owner_of(session: Session, page_id: str) -> UUID | None:
    """Return the contact of a row in any of the databases; None if Funnel did not write it."""
    of_sequence = select(Enrolment.contact_id).where(Enrolment.notion_page_id == page_id)
    return session.scalars(of_sequence.union_all(select(Contact.id).where(Contact.notion_page_id == page_id))).first()
