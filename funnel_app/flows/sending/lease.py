"""Lease: emails claimed by a worker are its own for a limited time; if it dies, the sweep requeues them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from funnel_app.deps import Deps
from funnel_app.ledger import batches
from funnel_app.ledger.database.conflicts import retry_on_conflict

LEASE = timedelta(seconds=15)


@dataclass
class Lease:
    """The claimed emails, their token, and when the lease ends."""

    deps: Deps
    ids: Collection[UUID]
    token: UUID
    until: datetime

    def keep(self) -> bool:
        """Extend the lease if less than half is left; False if none of its emails is ours any more."""
        if self.until - self.deps.now() >= LEASE / 2:
            return True
        return self._renew() > 0

    @retry_on_conflict
    def _renew(self) -> int:
        until = self.deps.now() + LEASE
        with self.deps.sessions.begin() as session:
            held = batches.renew(session, self.ids, self.token, until)
        self.until = until
        return held
