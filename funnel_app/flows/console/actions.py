"""Actions: the audit log of operators, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.ledger import contacts, operator_actions
from funnel_app.ledger.models import Contact
from funnel_app.ledger.operator_actions import OperatorAction

PAGE = 50
ERASED = "an erased lead"
NOBODY = ""


@dataclass(frozen=True)
class Done:
    """One action of an operator."""

    at: datetime
    operator: str
    source: str
    action: str
    detail: str
    whom: str
    contact_id: UUID | None


@dataclass(frozen=True)
class ActionPage:
    """One page of actions, and the cursor of the next; None on the last page."""

    rows: Sequence[Done]
    next: UUID | None


def list_actions(
    reads: sessionmaker[Session], after: UUID | None = None, operator: str = "", limit: int = PAGE
) -> ActionPage:
    """Return a page of actions, newest first; of one operator if named."""
    with reads() as session:
        found = operator_actions.newest(session, limit + 1, after=after, operator=operator)
    shown = [_done(action, contact) for action, contact in found[:limit]]
    return ActionPage(shown, found[limit - 1][0].id if len(found) > limit else None)


def _done(action: OperatorAction, contact: Contact | None) -> Done:
    known = contact is not None and not contacts.is_erased(contact)
    whom = contact.email if contact and known else ERASED if action.contact_id else NOBODY
    return Done(
        at=action.at,
        operator=action.operator,
        source=action.source,
        action=action.action.replace("_", " "),
        detail=action.detail or "",
        whom=whom,
        contact_id=contact.id if contact and known else None,
    )
