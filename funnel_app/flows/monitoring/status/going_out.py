"""Going out: late emails right after a stop of sending, which explains them though it is over."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.invariants import OVERDUE_AFTER
from funnel_app.flows.monitoring.status.needs import OF_STOPS, is_of_all_workers
from funnel_app.flows.monitoring.status.ready import silent_parts, why_all_waits
from funnel_app.flows.sending.sending_status import manual_pause
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.resend.answers import AnswerKind
from funnel_app.ledger import incidents, pauses
from funnel_app.ledger.queries import counts

# After a damaged ledger sending does not just go on: it needs a repair.
STOPPED_BY = (OF_STOPS - {"ledger_damaged"}) | {"worker_gone"}
GONE_ON = "sending has just gone on"
# The sweep takes up after this long what nothing else did: what was due no longer did not wait.
TAKEN_UP_AFTER = timedelta(seconds=5)


def going_out(deps: Deps) -> int:
    """Return how many emails are due since sending stood still until a moment ago.

    They came due before it ended, so that their number only falls: what comes due later goes as ever. 0 while it stands
    still, and once it has gone on for a minute: what is late then must say why.
    """
    now = deps.now()
    with deps.reads() as session:
        ended_at = _stood_still_until(session, now - OVERDUE_AFTER, now)
        left = counts.not_gone(session, ended_at - TAKEN_UP_AFTER, now, deps.sendable_modes) if ended_at else 0
    return left if left and _goes(deps) else 0


def _goes(deps: Deps) -> bool:
    """Say whether sending goes, perhaps some seconds later since its rate was too high: that passes by itself."""
    try:
        pause = deps.pause.current()
    except Unavailable:
        return False
    if pause is not None and pause.kind != AnswerKind.RATE_LIMITED:
        return False
    return not (manual_pause(deps) or silent_parts(deps))


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


def _stood_still_until(session: Session, since: datetime, now: datetime) -> datetime | None:
    """Return when sending last stood still, as far as known; None if it did not since that time."""
    seen = incidents.seen_since(session, STOPPED_BY, since)
    ends = [each.seen_at for each in seen if each.kind != "worker_gone" or is_of_all_workers(each)]
    ended_at = pauses.last_ended_at(session, now)
    return max([*ends, *([ended_at] if ended_at and ended_at > since else [])], default=None)
