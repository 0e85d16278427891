"""Today: what goes, what went, what is wrong, and what needs attention, with the button that fixes it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.console.pausing import list_pauses
from funnel_app.flows.intake.received import as_row, waits_for_fix
from funnel_app.flows.monitoring.alarms import ALARMS
from funnel_app.flows.monitoring.day import Day, day_of, local_day, states_of_day
from funnel_app.flows.monitoring.doctor import Examination, last_examination, with_present
from funnel_app.flows.monitoring.headline import Headline, current_headline
from funnel_app.flows.monitoring.incidents import name_of
from funnel_app.flows.monitoring.invariants import count_invariants
from funnel_app.flows.monitoring.needs import COUNTED, detail_of, stands
from funnel_app.flows.monitoring.ready import Part, Stop, stops
from funnel_app.flows.monitoring.stats import standing
from funnel_app.flows.monitoring.undelivered import undelivered_lately
from funnel_app.flows.sending.sending_status import pause_reason
from funnel_app.ledger import counts, hook_events, incidents, pauses, today
from funnel_app.ledger.models import Email, Enrolment, HookEvent
from funnel_app.ledger.watch_models import Incident

AHEAD = timedelta(hours=24)
LISTED, MOST = 20, 1000
# Invariants without a waiting email; the others have figures of their own.
ODD = ("incomplete", "mirror_behind", "orphans")


# Shown elsewhere on the page in more detail than the incident has.
SHOWN_ELSEWHERE = COUNTED | {"redis_away", "scheduler_silent", "overdue"}


@dataclass(frozen=True)
class Held:
    """Emails held by the same fault."""

    key: str
    reason: str
    count: int
    since: datetime | None


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """An open incident: its name, detail, and fix.

    One that `passes` was an event and not a state: an operator may put it aside.
    """

    id: UUID
    name: str
    detail: str
    since: datetime
    meaning: str
    fix: str
    page: str
    passes: bool


@dataclass(frozen=True)
class Todo:
    """What needs attention, the first of each kind; `more` counts the others."""

    held: Sequence[Held]
    ambiguous: Sequence[Email]
    paused: Sequence[Enrolment]
    refused: Sequence[dict[str, Any]]
    more: Mapping[str, int]

    @property
    def asks(self) -> bool:
        """Whether a lead, an email or a call needs attention."""
        return bool(self.held or self.ambiguous or self.paused or self.refused)


@dataclass(frozen=True)
class Ahead:
    """The next 24 hours: the first emails, how many more there are, and how many an hour."""

    first: Sequence[Email]
    more: int
    hours: Sequence[tuple[datetime, int]]


@dataclass(frozen=True)
class Today:
    """The content of the first page; `kept_back` emails are due and wait for the end of a pause.

    `unexplained` measures the promise: emails that are stuck without a reason.
    """

    headline: Headline
    day: Day
    held: int
    overdue: int
    unexplained: int
    why_late: str | None
    pause_reason: str | None
    pauses: Sequence[tuple[str, str]]
    kept_back: int
    stops: Sequence[Stop]
    odd: Mapping[str, int]
    todo: Todo
    incidents: Sequence[Wrong]
    examined: Examination | None
    ahead: Ahead

    @property
    def calm(self) -> bool:
        """Whether nothing needs attention."""
        return not (self.todo.asks or self.stops or self.pause_reason or self.pauses or self.incidents)


def look_at_today(deps: Deps) -> Today:
    """Return the content of the first page, for today in the business's time zone."""
    broken = count_invariants(deps)
    # Read before the transaction opens: a Redis that hangs must not keep it open.
    found = stops(deps)
    redis_away = any(stop.part is Part.REDIS for stop in found)
    paused = None if redis_away else pause_reason(deps)
    why_late = paused or next((stop.words for stop in found if stop.part is not Part.LEDGER), None)
    examined = None if redis_away else last_examination(deps.process_status)
    # Chats get masked addresses; the console's users may see them.
    whole = undelivered_lately(deps)
    return Today(
        headline=current_headline(deps, found, whole),
        day=_day(deps),
        held=broken["held"],
        overdue=broken["overdue"],
        odd={name: count for name, count in broken.items() if count and name in ODD},
        todo=_todo(deps.reads),
        incidents=_wrongs(deps, whole),
        ahead=_ahead(deps),
        unexplained=standing(deps, paused=why_late is not None),
        why_late=why_late,
        pause_reason=paused,
        pauses=list_pauses(deps).standing,
        kept_back=_kept_back(deps),
        stops=found,
        examined=with_present(examined, found) if examined else None,
    )


def _kept_back(deps: Deps) -> int:
    with deps.reads() as session:
        return pauses.count_waiting(session, deps.now())


def _day(deps: Deps) -> Day:
    zone = deps.settings.timezone
    with deps.reads() as session:
        return day_of(states_of_day(session, local_day(deps.now(), zone), zone))


def _ahead(deps: Deps) -> Ahead:
    now = deps.now()
    with deps.reads() as session:
        times = today.planned_times(session, now, now + AHEAD)
        first = today.next_planned(session, now, now + AHEAD, LISTED)
    return Ahead(first, max(0, len(times) - LISTED), _hours(times, now))


def _wrongs(deps: Deps, whole: Mapping[str, str]) -> list[Wrong]:
    with deps.reads() as session:
        current = incidents.current(session)
    # Not shown as wrong if the headline leaves it out.
    found = [each for each in current if each.kind not in SHOWN_ELSEWHERE and stands(deps, each)]
    return [_wrong(deps.registry, each, whole) for each in found]


def _wrong(registry: Registry, incident: Incident, whole: Mapping[str, str]) -> Wrong:
    alarm = ALARMS.get(incident.kind)
    return Wrong(
        id=incident.id,
        name=name_of(registry, incident),
        detail=detail_of(registry, incident, whole),
        since=incident.opened_at,
        meaning=alarm.meaning if alarm else "",
        fix=alarm.fix if alarm else "",
        page=alarm.page if alarm else "",
        passes=bool(alarm and alarm.quiet_for),
    )


def _todo(reads: sessionmaker[Session]) -> Todo:
    refused = [call for call in _newest_refused(reads) if waits_for_fix(call)][::-1]
    with reads() as session:
        held = [Held(k, r or "no reason given", n, s) for k, r, n, s in today.held_by_reason(session, MOST)]
        numbers = {
            "held": len(held),
            "ambiguous": counts.in_state(session, State.AMBIGUOUS),
            "paused": today.count_paused(session),
            "refused": len(refused),
        }
        return Todo(
            held=held[:LISTED],
            ambiguous=today.ambiguous(session, LISTED),
            paused=today.paused(session, LISTED),
            refused=[as_row(call) for call in refused[:LISTED]],
            more={what: number - LISTED for what, number in numbers.items() if number > LISTED},
        )


def _newest_refused(reads: sessionmaker[Session]) -> list[HookEvent]:
    with reads() as session:
        return hook_events.newest_refused(session, None, MOST)


def _hours(times: Sequence[datetime], now: datetime) -> list[tuple[datetime, int]]:
    counted = Counter(int((at - now).total_seconds() // 3600) for at in times)
    return [(now + timedelta(hours=hour), counted[hour]) for hour in range(int(AHEAD.total_seconds() // 3600))]
