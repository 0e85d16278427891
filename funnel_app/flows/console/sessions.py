"""Sessions: a login that was closed stays closed, whoever has a copy of its cookie."""

from datetime import datetime

from funnel_app.deps import Deps
from funnel_app.ledger import operator_actions
from funnel_app.ledger.operator_actions import LOG_OUT, OperatorAction


def close_session(deps: Deps, operator: str, session_id: str) -> None:
    """Write down that an operator closed a session. Safe to repeat."""
    with deps.sessions.begin() as session:
        operator_actions.add(
            session, OperatorAction(at=deps.now(), operator=operator, action=LOG_OUT, detail=session_id)
        )


def is_closed(deps: Deps, session_id: str, since: datetime) -> bool:
    """Say whether a session that began then was closed by its operator."""
    with deps.reads() as session:
        return operator_actions.was_done(session, LOG_OUT, session_id, since)
