"""Going out: late emails right after a stop of sending, which explains them though it is over."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.invariants import OVERDUE_AFTER
from funnel_app.flows.monitoring.needs import OF_STOPS, is_of_all_workers
from funnel_app.flows.monitoring.ready import why_all_waits
from funnel_app.ledger import incidents, pauses
from funnel_app.ledger.queries import counts

# After a damaged ledger sending does not just go on: it needs a repair.
STOPPED_BY = (OF_STOPS - {"ledger_damaged"}) | {"worker_gone"}
GONE_ON = "sending has just gone on"
# The sweep takes up after this long what nothing else did.
TAKEN_UP_AFTER = timedelta(seconds=5)


def going_out(deps: Deps) -> int:
    """Return how many emails are due since sending stood still until a moment ago.

    0 while it stands still, and once it has gone on for a minute: what is late then must say why.
    """
    now = deps.now()
    with deps.reads() as session:
        due = counts.overdue(session, now - TAKEN_UP_AFTER, deps.sendable_modes)
        explained = bool(due) and _stood_still(session, now - OVERDUE_AFTER, now)
    return due if explained and why_all_waits(deps) is None else 0


def why_late(deps: Deps, going: int | None = None) -> str | None:
    """Return as a clause why late emails are expected now: a stop, or one that is just over; None if nothing says why.

    `going` is what `going_out` returned, if it was asked.
    """
    if why := why_all_waits(deps):
        return why
    return GONE_ON if (going_out(deps) if going is None else going) else None


def going_out_words(number: int) -> str:
    """Return as a clause that so many late emails go out now."""
    return f"{things(number, 'email')} that waited {'goes' if number == 1 else 'go'} out now"


def _stood_still(session: Session, since: datetime, now: datetime) -> bool:
    if pauses.any_ended_since(session, since, now):
        return True
    seen = incidents.seen_since(session, STOPPED_BY, since)
    return any(each.kind != "worker_gone" or is_of_all_workers(each) for each in seen)
