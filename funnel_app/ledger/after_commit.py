"""Afterwards: what is logged of a transaction is logged once it is committed, so that no log tells what never was."""

from typing import Any

import structlog
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

KEPT = "to be logged"

log = structlog.get_logger()


def log_after_commit(session: Session, what: str, **facts: Any) -> None:
    """Log one thing when the session's transaction is committed; nothing where it is rolled back."""
    session.info.setdefault(KEPT, []).append((what, facts))


def watch_commits(sessions: sessionmaker[Session]) -> None:
    """Let the sessions of a maker log what was kept for after their commit."""
    event.listen(sessions, "after_commit", _log)
    event.listen(sessions, "after_rollback", _forget)


def _log(session: Session) -> None:
    for what, facts in session.info.pop(KEPT, ()):
        log.info(what, **facts)


def _forget(session: Session) -> None:
    session.info.pop(KEPT, None)
