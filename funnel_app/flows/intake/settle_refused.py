"""Settle refused calls automatically once a later call for the same person was accepted."""

from collections.abc import Iterable

from funnel_app.deps import Deps
from funnel_app.flows.addresses import looked_up
from funnel_app.flows.intake.received_calls import address_of, put_aside, waits_for_fix
from funnel_app.ledger import hook_events
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import HookEvent

MOST = 1000


@retry_on_conflict
def settle_refused(deps: Deps) -> int:
    """Put aside refused calls that were followed by an accepted one; return how many. Safe to repeat."""
    with deps.reads() as session:
        waiting = [call for call in hook_events.newest_refused(session, None, MOST) if waits_for_fix(call)]
        later = hook_events.taken_from(
            session, _addresses(waiting), min((c.received_at for c in waiting), default=None)
        )
    followed = {call.id for call in waiting if _is_followed(call, later.get(_address(call), ()))}
    if not followed:
        return 0
    with deps.sessions.begin() as session:
        # Looked at again: one may have come once more meanwhile.
        found = hook_events.lock(session, followed)
        settled = [call for call in found if _is_followed(call, later.get(_address(call), ()))]
        for call in settled:
            put_aside(session, call, "the same person's next call was taken")
    return len(settled)


def _addresses(calls: Iterable[HookEvent]) -> set[str]:
    return {address for call in calls if (address := _address(call))}


def _address(call: HookEvent) -> str:
    found = address_of(call)
    return looked_up(found) if found else ""


def _is_followed(call: HookEvent, later: Iterable[HookEvent]) -> bool:
    last_at = max(call.received_at, call.happened_at or call.received_at)
    return any(
        (each.campaign, each.hook) == (call.campaign, call.hook) and each.received_at > last_at for each in later
    )
