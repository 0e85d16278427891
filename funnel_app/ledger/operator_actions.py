"""Operator actions: who did what to whom in the console, and when.

The ids have no foreign keys and the words hold no address, so that the record outlives an erasure.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, Text, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from funnel_app.ledger.base import Base
from funnel_app.ledger.models import Contact
from funnel_app.ledger.types import new_id

CONSOLE, COMMAND_LINE, NOTION = "console", "command line", "Notion"
# A login that was closed is kept so that it stays closed; that is nobody's news.
LOG_OUT = "log_out"


class OperatorAction(Base):
    """One thing that a person did, and from where."""

    __tablename__ = "operator_actions"
    __table_args__ = (Index("ix_operator_actions_contact_id", "contact_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime]
    operator: Mapped[str] = mapped_column(String(60))
    action: Mapped[str] = mapped_column(String(32))
    contact_id: Mapped[UUID | None]
    enrolment_id: Mapped[UUID | None]
    email_id: Mapped[UUID | None]
    detail: Mapped[str | None] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(16), default=CONSOLE, server_default=CONSOLE)


def add(session: Session, action: OperatorAction) -> None:
    """Write down what a person did."""
    session.add(action)


def tell(session: Session, action_id: UUID, detail: str) -> None:
    """Say how far something came that takes a while."""
    session.get_one(OperatorAction, action_id).detail = detail


def find(session: Session, action_id: UUID) -> OperatorAction | None:
    """Return what was done under an id; None where nothing was."""
    return session.get(OperatorAction, action_id)


def of_contact(session: Session, contact_id: UUID) -> list[OperatorAction]:
    """Return what people did to a contact, oldest first."""
    wanted = select(OperatorAction).where(OperatorAction.contact_id == contact_id)
    return list(session.scalars(wanted.order_by(OperatorAction.at, OperatorAction.id)))


def newest(
    session: Session, limit: int, *, after: UUID | None = None, operator: str = ""
) -> list[tuple[OperatorAction, Contact | None]]:
    """Return what people did last, the newest first, each with whom it concerned; after one: what was before it.

    The contact is None where it concerned nobody, or nobody whom we still know.
    """
    wanted = select(OperatorAction, Contact).outerjoin(Contact, Contact.id == OperatorAction.contact_id)
    wanted = wanted.where(OperatorAction.action != LOG_OUT)
    if after is not None:
        wanted = wanted.where(OperatorAction.id < after)
    if operator:
        wanted = wanted.where(OperatorAction.operator == operator)
    rows = session.execute(wanted.order_by(OperatorAction.id.desc()).limit(limit))
    return [(action, contact) for action, contact in rows]


def was_done(session: Session, action: str, detail: str, since: datetime) -> bool:
    """Say whether something was done to what these words name, at or after a time."""
    done = OperatorAction.action == action, OperatorAction.detail == detail, OperatorAction.at >= since
    return session.scalars(select(OperatorAction.id).where(*done).limit(1)).first() is not None
