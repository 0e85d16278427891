"""Today: what goes, what went, what is wrong, and what needs attention, with the button that mends it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.intake.received import list_hooks, was_replayed
from funnel_app.flows.monitoring.doctor import Examination, last_examination
from funnel_app.flows.monitoring.incidents import name_of
from funnel_app.flows.monitoring.invariants import count_invariants
from funnel_app.flows.monitoring.ready import ledger_faults, silent_parts
from funnel_app.flows.monitoring.stats import standing
from funnel_app.flows.sending.sending_status import pause_reason
from funnel_app.ledger import incidents, today
from funnel_app.ledger.models import Email, Enrolment, Outcome

AHEAD = timedelta(hours=24)
LISTED = 20
# What is broken without an email standing still; the others have a number of their own.
ODD = ("incomplete", "mirror_behind", "orphans")
HANDED_OVER = (State.SENT, State.DELIVERED, State.DELAYED, State.BOUNCED, State.COMPLAINED)


@dataclass(frozen=True)
class Held:
    """Emails that wait for the same thing to be mended."""

    key: str
    reason: str
    count: int
    since: datetime | None


@dataclass(frozen=True)
class Wrong:
    """One thing that the watch found wrong and that is not over: its name, and what is known of it."""

    name: str
    detail: str
    since: datetime


@dataclass(frozen=True)
class Today:
    """All of the first page. `unexplained` is the promise: emails that stand still and nothing says why."""

    due: int
    sent: int
    delivered: int
    held: int
    overdue: int
    unexplained: int
    pause_reason: str | None
    faults: Sequence[str]
    odd: Mapping[str, int]
    held_by: Sequence[Held]
    ambiguous: Sequence[Email]
    paused: Sequence[Enrolment]
    refused: Sequence[dict[str, Any]]
    incidents: Sequence[Wrong]
    examined: Examination | None
    next: Sequence[Email]
    hours: Sequence[tuple[datetime, int]]

    @property
    def asks(self) -> bool:
        """Whether a lead, an email or a call needs attention."""
        return bool(self.held_by or self.ambiguous or self.paused or self.refused)

    @property
    def calm(self) -> bool:
        """Whether nothing at all needs attention."""
        return not (self.asks or self.faults or self.pause_reason or self.incidents)


def look_at_today(deps: Deps) -> Today:
    """Return what the first page shows, of the business's day."""
    now = deps.now()
    start, end = day_of(now, deps.settings.timezone)
    broken = count_invariants(deps)
    # Asked first, and once: a Redis that does not answer must neither keep a transaction open nor its reader waiting.
    away = deps.queues.why_away()
    paused, examined = (None, None) if away else (pause_reason(deps), last_examination(deps))
    wrong = [*ledger_faults(deps), *([f"Redis {away}"] if away else silent_parts(deps))]
    unexplained, refused = standing(deps, paused=bool(away or paused)), _refused(deps)
    with deps.reads() as session:
        states = today.states_due_between(session, start, end)
        held = [Held(k, r or "no reason given", n, s) for k, r, n, s in today.held_by_reason(session, LISTED)]
        return Today(
            due=sum(states.values()),
            sent=sum(states.get(state, 0) for state in HANDED_OVER),
            delivered=states.get(State.DELIVERED, 0),
            held=broken["held"],
            overdue=broken["overdue"],
            odd={name: count for name, count in broken.items() if count and name in ODD},
            held_by=held,
            ambiguous=today.ambiguous(session, LISTED),
            paused=today.paused(session, LISTED),
            incidents=[Wrong(name_of(i), i.detail, i.opened_at) for i in incidents.current(session)],
            next=today.next_planned(session, now, now + AHEAD, LISTED),
            hours=_hours(today.planned_times(session, now, now + AHEAD), now),
            unexplained=unexplained,
            pause_reason=paused,
            faults=wrong,
            refused=refused,
            examined=examined,
        )


def day_of(now: datetime, zone: str) -> tuple[datetime, datetime]:
    """Return the beginning of a time's day in a zone, and of the next, as aware times."""
    local = now.astimezone(ZoneInfo(zone)).date()
    first, then = (datetime.combine(day, time(), ZoneInfo(zone)) for day in (local, local + timedelta(days=1)))
    return first, then


def _refused(deps: Deps) -> list[dict[str, Any]]:
    rows = list_hooks(deps, Outcome.REFUSED, LISTED)
    return [row for row in rows if not was_replayed(row)]


def _hours(times: Sequence[datetime], now: datetime) -> list[tuple[datetime, int]]:
    counted = Counter(int((at - now).total_seconds() // 3600) for at in times)
    return [(now + timedelta(hours=hour), counted[hour]) for hour in range(int(AHEAD.total_seconds() // 3600))]
