"""Backlog: send many emails by one request while more is due than can go one by one."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from funnel_app.campaigns.model import Kind
from funnel_app.deps import Deps
from funnel_app.flows.sending.deliver import LARGEST_BATCH, Outcome, deliver
from funnel_app.ledger import emails

# Larger than a batch, so that emails claimed by other workers do not leave a request half empty.
LOOKED_AT = 3 * LARGEST_BATCH
BACKLOG_S = 2.0
MOST_ONE_BY_ONE = 10
# Each call costs three transactions, whatever it carries, so while leads come in a few large ones are cheaper.
GATHERS_FOR_S = 0.1
GOES_ON_FOR = timedelta(seconds=20)
# Looking for transactional emails reads everything that is due.
LOOKS_FOR_URGENT_EVERY = timedelta(seconds=1)


def deliver_due(deps: Deps, email_id: UUID) -> Outcome:
    """Send this email if it is due and still wanted; with a backlog, send everything due in batches.

    Safe to repeat and to race. Raises Unavailable if Redis cannot be reached.
    """
    until, backlog = deps.now() + GOES_ON_FOR, Backlog(deps)
    batch = backlog.with_company(email_id)
    first = outcome = deliver(deps, batch)
    while outcome is Outcome.SUBMITTED and deps.now() < until and (batch := backlog.after(batch)):
        outcome = deliver(deps, batch)
    return first


class Backlog:
    """What is due beside one email, looked at batch after batch."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._none_urgent_until = deps.now()

    def with_company(self, email_id: UUID) -> list[UUID]:
        """Return an email with those that go with it; one that was tried goes by itself.

        Where it has gone with others already, which the sweep may have missed, its job takes the next of a backlog.
        """
        with self._deps.reads() as session:
            if emails.waits_alone(session, email_id):
                return [email_id]
        return [email_id, *(other for other in self.look() if other != email_id)]

    def after(self, batch: Sequence[UUID]) -> list[UUID]:
        """Return the batch after this one; it gathers for a moment if this one was one that was not full."""
        if 1 < len(batch) < LARGEST_BATCH:
            self._deps.sleep(GATHERS_FOR_S)
        return self.look()

    def look(self) -> list[UUID]:
        """Return the emails that go next, transactional ones first; none where few enough are due to go one by one."""
        deps, now = self._deps, self._deps.now()
        few = min(BACKLOG_S * deps.rate.per_second(), MOST_ONE_BY_ONE)
        kinds = emails.FIRST_TO_LAST if now >= self._none_urgent_until else (Kind.MARKETING,)
        with deps.reads() as session:
            due = emails.due(session, now, deps.sendable_modes, LOOKED_AT, untried=True, kinds=kinds)
        if kinds is emails.FIRST_TO_LAST and all(email.kind != Kind.TRANSACTIONAL for email in due):
            self._none_urgent_until = now + LOOKS_FOR_URGENT_EVERY
        return [email.id for email in due] if len(due) > few else []
