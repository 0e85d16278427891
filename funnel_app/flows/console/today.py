"""Today: what goes, what went, what is wrong, and what needs attention, with the button that fixes it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.intake.received_calls import as_row
from funnel_app.flows.monitoring.alerts.alarms import ALARMS, page_of
from funnel_app.flows.monitoring.alerts.incidents import name_of
from funnel_app.flows.monitoring.alerts.invariants import count_invariants
from funnel_app.flows.monitoring.headline import Headline, current_headline
from funnel_app.flows.monitoring.statistics.day import EVER
from funnel_app.flows.monitoring.statistics.stats import standing
from funnel_app.flows.monitoring.status.examination import Examination, with_present
from funnel_app.flows.monitoring.status.going_out import GONE_ON
from funnel_app.flows.monitoring.status.needs import Need, detail_of
from funnel_app.flows.monitoring.status.ready import Part, Stop, stops
from funnel_app.flows.sending.sending_status import manual_pause, pause_reason
from funnel_app.ledger import pauses
from funnel_app.ledger.models import Email, Enrolment
from funnel_app.ledger.models.watch import Incident
from funnel_app.ledger.queries import counts, today
from funnel_app.ledger.queries.today import Span

AHEAD = timedelta(hours=24)
LISTED = 20
# Invariants without a waiting email; the others have figures of their own.
ODD = ("incomplete", "mirror_behind", "orphans")


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """An open incident: its name, detail, and fix.

    One that `passes` was an event and not a state, and is told: an operator may put it aside.
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
    """The emails and calls behind the headline's needs, and the leads that somebody paused on purpose.

    Of each kind the first; `more` counts the others.
    """

    ambiguous: Sequence[Email]
    refused: Sequence[dict[str, Any]]
    paused: Sequence[Enrolment]
    more: Mapping[str, int]


@dataclass(frozen=True)
class Ahead:
    """The next 24 hours: the first emails, how many more there are, and how many an hour.

    `due` go next, `waiting` are due by then and do not go, and `later` is when the first goes if nothing does by then.
    """

    first: Sequence[Email]
    more: int
    hours: Sequence[tuple[datetime, int]]
    due: int
    waiting: int
    later: datetime | None


@dataclass(frozen=True)
class Today:
    """The content of the first page; `kept_back` emails are due and wait for the end of a pause.

    The headline has what is listed, as it counts it; `incidents` has more of those by id, and `stopped_by` what
    explains a stop. `unexplained` measures the promise: emails that are stuck without a reason.
    """

    headline: Headline
    held: int
    overdue: int
    unexplained: int
    why_late: str | None
    pause_reason: str | None
    manual_pause: str | None
    kept_back: int
    stops: Sequence[Stop]
    odd: Mapping[str, int]
    todo: Todo
    incidents: Mapping[UUID, Wrong]
    stopped_by: Sequence[Wrong]
    examined: Examination | None
    ahead: Ahead


def look_at_today(deps: Deps) -> Today:
    """Return the content of the first page, for today in the business's time zone."""
    broken = count_invariants(deps)
    # Read before the transaction opens: a Redis that hangs must not keep it open.
    found = stops(deps)
    redis_away = any(stop.part is Part.REDIS for stop in found)
    paused = None if redis_away else pause_reason(deps)
    # Chats get masked addresses; the console's users may see them.
    headline = current_headline(deps, found, whole=True)
    why_late = paused or next((stop.words for stop in found if stop.part is not Part.LEDGER), None)
    if why_late is None and headline.going_out:
        why_late = f"{GONE_ON}, and they go out now"
    wrong = [_wrong(deps.registry, need.about) for need in headline.needs if isinstance(need.about, Incident)]
    return Today(
        headline=headline,
        held=broken["held"],
        overdue=broken["overdue"],
        odd={name: count for name, count in broken.items() if count and name in ODD},
        todo=_todo(deps.reads, headline.needs),
        incidents={each.id: each for each in wrong},
        stopped_by=[_wrong(deps.registry, each) for each in headline.explained_by],
        ahead=_ahead(deps, broken["overdue"]),
        unexplained=standing(deps, broken, paused=why_late is not None),
        why_late=why_late,
        pause_reason=paused,
        manual_pause=manual_pause(deps),
        kept_back=_kept_back(deps),
        stops=found,
        examined=with_present(headline.examined, found) if headline.examined else None,
    )


def _kept_back(deps: Deps) -> int:
    with deps.reads() as session:
        return pauses.count_waiting(session, deps.now())


def _ahead(deps: Deps, late: int) -> Ahead:
    now, modes = deps.now(), deps.sendable_modes
    end = now + AHEAD
    ahead, past = Span(now, end, modes), Span(EVER, now, modes)
    with deps.reads() as session:
        times = today.planned_times(session, ahead)
        first = today.next_planned(session, ahead, LISTED)
        due = today.count_next(session, past)
        waiting = today.count_waiting(session, replace(ahead, after=EVER))
        later = [] if first or due else today.next_planned(session, Span(end, None, modes), 1)
    # Those that are late are told apart.
    rest = max(0, due - late)
    return Ahead(
        first, max(0, len(times) - LISTED), _hours(times, now), rest, waiting, later[0].due_at if later else None
    )


def _wrong(registry: Registry, incident: Incident) -> Wrong:
    alarm = ALARMS.get(incident.kind)
    return Wrong(
        id=incident.id,
        name=name_of(registry, incident),
        detail=detail_of(registry, incident),
        since=incident.opened_at,
        meaning=alarm.meaning if alarm else "",
        fix=alarm.fix if alarm else "",
        page=page_of(incident.kind, incident.subject) or f"runbook#{incident.kind}",
        passes=bool(alarm and alarm.quiet_for and incident.notified_at),
    )


def _todo(reads: sessionmaker[Session], needs: Sequence[Need]) -> Todo:
    refused = [call for need in needs if isinstance(need.about, tuple) for call in need.about]
    with reads() as session:
        numbers = {
            "ambiguous": counts.in_state(session, State.AMBIGUOUS),
            "refused": len(refused),
            "paused": today.count_paused(session),
        }
        return Todo(
            ambiguous=today.ambiguous(session, LISTED),
            refused=[as_row(call) for call in refused[:LISTED]],
            paused=today.paused(session, LISTED),
            more={what: number - LISTED for what, number in numbers.items() if number > LISTED},
        )


def _hours(times: Sequence[datetime], now: datetime) -> list[tuple[datetime, int]]:
    counted = Counter(int((at - now).total_seconds() // 3600) for at in times)
    return [(now + timedelta(hours=hour), counted[hour]) for hour in range(int(AHEAD.total_seconds() // 3600))]
