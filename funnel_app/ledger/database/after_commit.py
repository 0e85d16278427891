"""After commit: log what a transaction did only once it is committed, so that the log never reports a rollback."""

from typing import Any

import structlog
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

KEPT = "to be logged"

log = structlog.get_logger()


def log_after_commit(session: Session, what: str, **facts: Any) -> None:
    """Log an event when the session's transaction commits; nothing after a rollback."""
    session.info.setdefault(KEPT, []).append((what, facts))


def watch_commits(sessions: sessionmaker[Session]) -> None:
    """Emit the pending log events of a session maker's sessions after their commits."""
    event.listen(sessions, "after_commit", _log)
    event.listen(sessions, "after_rollback", _forget)


def _log(session: Session) -> None:
    for what, facts in session.info.pop(KEPT, ()):
        log.info(what, **facts)


def _forget(session: Session) -> None:
    session.info.pop(KEPT, None)
