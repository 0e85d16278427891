"""Lease: the emails that a worker claimed are its own for so long; when it dies, the sweep gives them back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from funnel_app.deps import Deps
from funnel_app.flows.sending.sending_status import LEASE
from funnel_app.ledger import batches
from funnel_app.ledger.conflicts import retry_on_conflict


@dataclass
class Lease:
    """Which emails are held, under which token, and until when."""

    deps: Deps
    ids: Collection[UUID]
    token: UUID
    until: datetime

    def keep(self) -> bool:
        """Lengthen the lease where less than half of it is left; False where no email of it is ours any more."""
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
