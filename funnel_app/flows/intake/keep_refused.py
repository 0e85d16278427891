"""Keep what an authenticated caller sent and could not be used, so that nothing is lost.

The same call again within a day is counted, not kept twice. A caller also has a budget of bytes a day; beyond it one
row counts the calls that are not kept, and says so. Otherwise one broken caller could fill the disk, and a full disk
refuses every call.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from funnel_app.deps import Deps
from funnel_app.ledger import hook_events
from funnel_app.ledger.models import Outcome
from funnel_app.ledger.models.types import new_id

log = structlog.get_logger()

REFUSED_KEPT_FOR = timedelta(days=30)
# A hook waits for at most this many deletions; the sweep continues later.
FORGOTTEN_AT_A_TIME = 500
BUDGET_BYTES, BUDGET_SPAN = 20_000_000, timedelta(days=1)
# The size of a row without its payload, with all its indexes.
ROW_BYTES = 2_000
# Reasons that are no field of the call: a limit, which passes with time, and an error of ours.
LIMIT, OURS = "limit", "funnel"
NO_FIELDS = frozenset({LIMIT, OURS})
NOT_KEPT = {
    "budget": ["This caller's refused calls of a day are more than are kept: those since then are counted here alone."]
}


def refuse(
    deps: Deps, *, campaign: str, hook: str, payload: object, errors: Mapping[str, Any], source: str = "website"
) -> UUID:
    """Keep a refused call with its faults for a later replay; return the id of its row, or of the row that counts it.

    `source` is the entrance it came by. A replay uses the same one, because it decides who sends email 1.
    """
    whole = payload if isinstance(payload, dict) else {"body": payload}
    call = _Call(campaign[:64], hook[:32], source, f"{deps.now():%Y-%m-%d}", whole, dict(errors))
    with deps.sessions.begin() as session:
        hook_id, times = _counted(session, call, deps.now()) or _kept(session, call, deps)
    log.warning("hook_refused", hook=str(hook_id), name=call.hook, errors=call.errors, times=times)
    return hook_id


@dataclass(frozen=True)
class _Call:
    campaign: str
    hook: str
    source: str
    day: str
    payload: dict[str, Any]
    errors: dict[str, Any]

    @cached_property
    def key(self) -> str:
        """Return the key that identical calls share."""
        what = [self.campaign, self.hook, self.source, self.day, self.payload, self.errors]
        said = json.dumps(what, sort_keys=True)
        kind = hook_events.UNKEPT if self.errors == NOT_KEPT else "refused:"
        return f"{kind}{hashlib.sha256(said.encode()).hexdigest()}"

    @property
    def size(self) -> int:
        return ROW_BYTES + len(json.dumps(self.payload)) + len(json.dumps(self.errors))


def _counted(session: Session, call: _Call, now: datetime) -> tuple[UUID, int] | None:
    hook_events.lock_key(session, call.key)
    known = hook_events.find_refused(session, call.key)
    if known is None:
        return None
    known.times += 1
    known.happened_at = now
    return known.id, known.times


def _kept(session: Session, call: _Call, deps: Deps) -> tuple[UUID, int]:
    now = deps.now()
    spent = hook_events.refused_bytes(session, (call.campaign, call.hook, call.source), now - BUDGET_SPAN)
    if spent + call.size > BUDGET_BYTES and call.errors != NOT_KEPT:
        beyond = _Call(call.campaign, call.hook, call.source, call.day, {}, NOT_KEPT)
        return _counted(session, beyond, now) or _kept(session, beyond, deps)
    row = {
        "id": (hook_id := new_id()),
        "received_at": now,
        "source": call.source,
        "campaign": call.campaign,
        "hook": call.hook,
        "dedupe_key": call.key,
        "payload": call.payload,
        "outcome": Outcome.REFUSED,
        "errors": call.errors,
        "mode": deps.mode.value,
        "times": 1,
        "size": call.size,
    }
    hook_events.add(session, row)
    return hook_id, 1


def forget_refused(deps: Deps) -> int:
    """Delete refused calls past their retention, in batches; return how many. Safe to repeat."""
    before = deps.now() - REFUSED_KEPT_FOR
    with deps.reads() as session:
        old = hook_events.refused_before(session, before, FORGOTTEN_AT_A_TIME)
    if not old:
        return 0
    with deps.sessions.begin() as session:
        return hook_events.delete_refused(session, old)
