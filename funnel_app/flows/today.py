"""Today: what goes, what went, what is wrong, and what needs a person, with the button that mends it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.hooks import list_hooks
from funnel_app.flows.ready import faults
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.limits import Pause
from funnel_app.ledger import emails, today
from funnel_app.ledger.models import Email, Enrolment, Outcome

OVERDUE_AFTER = timedelta(seconds=60)
STUCK_AFTER = timedelta(minutes=2)
UNPROVEN_AFTER = timedelta(minutes=15)
AHEAD = timedelta(hours=24)
LISTED = 20
COUNTED = 10_000
HANDED_OVER = (State.SENT, State.DELIVERED, State.DELAYED, State.BOUNCED, State.COMPLAINED)


@dataclass(frozen=True)
class Held:
    """Emails that wait for the same thing to be mended."""

    key: str
    reason: str
    count: int
    since: datetime | None


@dataclass(frozen=True)
class Today:
    """All of the first page. `unexplained` is the promise: emails that stand still and nothing says why."""

    due: int
    sent: int
    delivered: int
    held: int
    overdue: int
    unexplained: int
    why_waiting: str | None
    faults: Sequence[str]
    held_by: Sequence[Held]
    ambiguous: Sequence[Email]
    paused: Sequence[Enrolment]
    refused: Sequence[dict[str, Any]]
    next: Sequence[Email]
    hours: Sequence[tuple[datetime, int]]

    @property
    def calm(self) -> bool:
        """Whether nothing needs a person."""
        return not (self.held_by or self.ambiguous or self.paused or self.refused or self.faults or self.why_waiting)


def look_at_today(deps: Deps) -> Today:
    """Return what the first page shows, of the business's day."""
    now = deps.now()
    start, end = day_of(now, deps.settings.timezone)
    missing = faults(deps)
    pause = _pause(deps)
    with deps.reads() as session:
        states = today.states_due_between(session, start, end)
        overdue = len(emails.due(session, now - OVERDUE_AFTER, deps.sendable_modes, COUNTED))
        held = [Held(k, r or "no reason given", n, s) for k, r, n, s in today.held_by_reason(session, LISTED)]
        return Today(
            due=sum(states.values()),
            sent=sum(states.get(state, 0) for state in HANDED_OVER),
            delivered=states.get(State.DELIVERED, 0),
            held=today.count_in(session, State.HELD),
            overdue=overdue,
            unexplained=_unexplained(session, now, 0 if pause or missing else overdue),
            why_waiting=f"sending pauses: {pause.reason}" if pause else None,
            faults=missing,
            held_by=held,
            ambiguous=today.ambiguous(session, LISTED),
            paused=today.paused(session, LISTED),
            refused=_refused(deps),
            next=today.next_planned(session, now, now + AHEAD, LISTED),
            hours=_hours(today.planned_times(session, now, now + AHEAD), now),
        )


def day_of(now: datetime, zone: str) -> tuple[datetime, datetime]:
    """Return the beginning of a time's day in a zone, and of the next, as aware times."""
    local = now.astimezone(ZoneInfo(zone)).date()
    first, then = (datetime.combine(day, time(), ZoneInfo(zone)) for day in (local, local + timedelta(days=1)))
    return first, then


def _unexplained(session: Session, now: datetime, overdue: int) -> int:
    stuck = today.count_stuck(session, now - STUCK_AFTER)
    return overdue + stuck + today.count_unproven(session, now - UNPROVEN_AFTER)


def _pause(deps: Deps) -> Pause | None:
    try:
        return deps.pause.current() if deps.queues.ping() else None
    except Unavailable:
        return None


def _refused(deps: Deps) -> list[dict[str, Any]]:
    rows = list_hooks(deps, Outcome.REFUSED, LISTED)
    return [row for row in rows if not str(row["reason"]).startswith("replayed as")]


def _hours(times: Sequence[datetime], now: datetime) -> list[tuple[datetime, int]]:
    counted = Counter(int((at - now).total_seconds() // 3600) for at in times)
    return [(now + timedelta(hours=hour), counted[hour]) for hour in range(int(AHEAD.total_seconds() // 3600))]
