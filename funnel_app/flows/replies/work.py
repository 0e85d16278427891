"""Work: read and forward incoming emails, from the ledger alone; safe to race, and after any crash."""

from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.deps import Deps
from funnel_app.flows.replies.forward import forward_received
from funnel_app.flows.replies.read import read_received
from funnel_app.ledger import received_emails
from funnel_app.ledger.models.received_emails import Forward, Reading, ReceivedEmail

# Longer than a fetch with its retries and waiting for a slot.
LEASE = timedelta(minutes=2)
AT_A_TIME = 5
TEXTS_KEPT_FOR = timedelta(days=30)


def answer_received(deps: Deps) -> int:
    """Read and forward incoming emails; return how many progressed. If Resend cannot be asked, the rest waits."""
    got_on = 0
    while batch := _take(deps):
        for number, row in enumerate(batch):
            if not _get_on(deps, row):
                _release(deps.sessions, batch[number + 1 :])
                return got_on
            got_on += 1
    return got_on


def _take(deps: Deps) -> list[ReceivedEmail]:
    with deps.reads() as session:
        if not received_emails.any_free(session, deps.now()):
            return []
    with deps.sessions.begin() as session:
        return received_emails.take(session, deps.now(), LEASE, AT_A_TIME)


def _get_on(deps: Deps, row: ReceivedEmail) -> bool:
    if row.reading == Reading.WAITING:
        return read_received(deps, row)
    return forward_received(deps, row) if row.forward == Forward.DUE else True


def _release(sessions: sessionmaker[Session], rows: list[ReceivedEmail]) -> None:
    if rows:
        with sessions.begin() as session:
            received_emails.release(session, [row.id for row in rows])


def forget_received(deps: Deps) -> int:
    """Delete non-leads' emails after 30 days, and the texts of leads'; return how many."""
    with deps.sessions.begin() as session:
        return received_emails.forget_texts(session, deps.now() - TEXTS_KEPT_FOR)
