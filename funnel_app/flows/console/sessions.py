"""Sessions: a session that was logged out stays closed, even for a copy of its cookie."""

from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.deps import Deps
from funnel_app.ledger import operator_actions
from funnel_app.ledger.operator_actions import LOG_OUT, OperatorAction


def close_session(deps: Deps, operator: str, session_id: str) -> None:
    """Record that an operator logged out of a session. Safe to repeat."""
    with deps.sessions.begin() as session:
        operator_actions.add(
            session, OperatorAction(at=deps.now(), operator=operator, action=LOG_OUT, detail=session_id)
        )


def is_closed(reads: sessionmaker[Session], session_id: str, since: datetime) -> bool:
    """Say whether the operator has logged out of the session that began at this time."""
    with reads() as session:
        return operator_actions.was_done(session, LOG_OUT, session_id, since)
