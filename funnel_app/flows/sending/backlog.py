"""Backlog: send many emails by one request while more is due than can go one by one."""

from datetime import timedelta
from uuid import UUID

from funnel_app.deps import Deps
from funnel_app.flows.sending.deliver import LARGEST_BATCH, Outcome, deliver
from funnel_app.ledger import emails

# Larger than a batch, so that emails claimed by other workers do not leave a request half empty.
LOOKED_AT = 3 * LARGEST_BATCH
BACKLOG_S = 2.0
MOST_ONE_BY_ONE = 10
GOES_ON_FOR = timedelta(seconds=20)


def deliver_due(deps: Deps, email_id: UUID) -> Outcome:
    """Send this email if it is due and still wanted; with a backlog, send everything due in batches.

    Safe to repeat and to race. Raises Unavailable if Redis cannot be reached.
    """
    until = deps.now() + GOES_ON_FOR
    first = outcome = deliver(deps, _with_company(deps, email_id))
    while outcome is Outcome.SUBMITTED and deps.now() < until and (batch := _backlog(deps)):
        outcome = deliver(deps, batch)
    return first


def _with_company(deps: Deps, email_id: UUID) -> list[UUID]:
    with deps.reads() as session:
        if emails.was_tried(session, email_id):
            return [email_id]
    return [email_id, *(other for other in _backlog(deps) if other != email_id)]


def _backlog(deps: Deps) -> list[UUID]:
    few = min(BACKLOG_S * deps.rate.per_second(), MOST_ONE_BY_ONE)
    with deps.reads() as session:
        due = emails.due(session, deps.now(), deps.sendable_modes, LOOKED_AT, untried=True)
    return [email.id for email in due] if len(due) > few else []
