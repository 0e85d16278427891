"""Operator actions: the audit log.

The ids have no foreign keys and the texts no addresses, so that the log outlives an erasure.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, Text, bindparam, exists, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from funnel_app.ledger.database.compiled import Question
from funnel_app.ledger.models import Contact
from funnel_app.ledger.models.base import Base
from funnel_app.ledger.models.types import new_id

CONSOLE, COMMAND_LINE, NOTION = "console", "command line", "Notion"
# Whoever holds the link of an email, who is its reader.
UNSUBSCRIBE_PAGE = "unsubscribe page"
# Logouts are stored so that a session stays closed; they are not shown.
LOG_OUT = "log_out"
CORRECT = "correct"


class OperatorAction(Base):
    """One action of an operator, and from where."""

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
    """Record an action."""
    session.add(action)


def record_progress(session: Session, action_id: UUID, detail: str) -> None:
    """Record the progress of a long action."""
    session.get_one(OperatorAction, action_id).detail = detail


def find(session: Session, action_id: UUID) -> OperatorAction | None:
    """Return the action with this id; None if there is none."""
    return session.get(OperatorAction, action_id)


def of_contact(session: Session, contact_id: UUID) -> list[OperatorAction]:
    """Return operators' actions on a contact, oldest first."""
    wanted = select(OperatorAction).where(OperatorAction.contact_id == contact_id)
    return list(session.scalars(wanted.order_by(OperatorAction.at, OperatorAction.id)))


def newest(
    session: Session, limit: int, *, after: UUID | None = None, operator: str = ""
) -> list[tuple[OperatorAction, Contact | None]]:
    """Return the newest actions, each with its contact; with `after`, those before that one.

    The contact is None if there was none, or it is not known any more.
    """
    wanted = select(OperatorAction, Contact).outerjoin(Contact, Contact.id == OperatorAction.contact_id)
    wanted = wanted.where(OperatorAction.action != LOG_OUT)
    if after is not None:
        wanted = wanted.where(OperatorAction.id < after)
    if operator:
        wanted = wanted.where(OperatorAction.operator == operator)
    rows = session.execute(wanted.order_by(OperatorAction.id.desc()).limit(limit))
    return [(action, contact) for action, contact in rows]


def newest_of(session: Session, action: str) -> OperatorAction | None:
    """Return the newest of one kind of action; None if it was never done."""
    wanted = select(OperatorAction).where(OperatorAction.action == action)
    return session.scalars(wanted.order_by(OperatorAction.id.desc()).limit(1)).first()


def was_done(session: Session, action: str, detail: str, since: datetime) -> bool:
    """Say whether an action on what these words name was done at or after a time."""
    return bool(_DONE.ask(session.connection(), action=action, detail=detail, since=since)[0]["done"])


# Made once: each page of the console asks it.
_DONE = Question(
    select(
        exists()
        .where(
            OperatorAction.action == bindparam("action"),
            OperatorAction.detail == bindparam("detail"),
            OperatorAction.at >= bindparam("since"),
        )
        .label("done")
    )
)
