"""Stats: what became of every planned email, and whether each is accounted for."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.reasons import general
from funnel_app.campaigns.states import OPEN, STOPPED, State
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.invariants import STUCK_AFTER, UNCONFIRMED_AFTER, count_invariants
from funnel_app.flows.monitoring.status.going_out import why_late
from funnel_app.ledger.queries import counts

# Listed one by one: canaries and tests are no business figures.
IN_FIGURES = (Mode.LIVE, Mode.TEST)
MUST_SAY_WHY = STOPPED | {State.HELD, State.AMBIGUOUS}


def ledger_stats(deps: Deps) -> dict[str, Any]:
    """Return how many emails were planned, delivered, stopped (by reason) and are open; planned is the sum.

    `unexplained` are those without a known reason for not arriving or being stuck; `duplicates` are those that Resend
    accepted more than once.
    """
    with deps.reads() as session:
        rows = counts.by_state_and_reason(session, IN_FIGURES)
        duplicates = counts.copies(session)
    stopped: Counter[str] = Counter()
    for state, reason, count in rows:
        if state in STOPPED:
            stopped[general(state, reason)] += count
    return {
        "planned": sum(count for _, _, count in rows),
        "delivered": sum(count for state, _, count in rows if state is State.DELIVERED),
        "stopped": dict(stopped.most_common()),
        "open": sum(count for state, _, count in rows if state in OPEN),
        "unexplained": sum(c for state, reason, c in rows if state in MUST_SAY_WHY and not reason)
        + standing(deps, count_invariants(deps), paused=why_late(deps) is not None),
        "duplicates": duplicates,
    }


def standing(deps: Deps, broken: Mapping[str, int], *, paused: bool) -> int:
    """Count the emails that are stuck without a reason: no pause or silent part, nor just now; no answer, no report.

    `broken` is how often each invariant is violated.
    """
    now = deps.now()
    with deps.reads() as session:
        stuck = counts.sending_without_word(session, now - STUCK_AFTER)
        unconfirmed = counts.sent_without_word(session, now - UNCONFIRMED_AFTER)
    return (0 if paused else broken["overdue"]) + stuck + unconfirmed + broken["incomplete"]
