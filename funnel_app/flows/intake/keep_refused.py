"""Refuse: keep what an authenticated caller sent and could not be used, so that nothing of it is lost."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog

from funnel_app.deps import Deps
from funnel_app.ledger import hook_events
from funnel_app.ledger.models import HookEvent, Outcome
from funnel_app.ledger.types import new_id

log = structlog.get_logger()


def refuse(
    deps: Deps, *, campaign: str, hook: str, payload: object, errors: Mapping[str, Any], source: str = "website"
) -> UUID:
    """Keep a refused call with its faults, for a replay after a mend; return its id.

    `source` is the entrance it came by: a replay comes by the same one, since that says who sends email 1.
    """
    event = HookEvent(
        id=new_id(),
        received_at=deps.now(),
        source=source,
        campaign=campaign[:64],
        hook=hook[:32],
        payload=payload if isinstance(payload, dict) else {"body": payload},
        outcome=Outcome.REFUSED,
        errors=dict(errors),
        mode=deps.mode.value,
    )
    with deps.sessions.begin() as session:
        hook_events.add(session, event)
    log.warning("hook_refused", hook=str(event.id), name=event.hook, errors=event.errors)
    return event.id
