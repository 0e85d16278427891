"""Refused calls: alert on known callers' unusable calls, so that a changed form does not lose leads unseen."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.flows.intake.received_calls import reason_of, waits_for_fix
from funnel_app.flows.monitoring.alerts.alarms import QUIET
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.ledger import hook_events, incidents
from funnel_app.ledger.models import HookEvent

KIND, NOT_KEPT = "calls_refused", "calls_not_kept"
MOST_REASONS = 2
# Beyond this the exact number is of no use, and each row is read whole.
MOST = 1000


@dataclass(frozen=True)
class Refused:
    """A hook's refused calls that wait for a correction: how many, the main reason, and the newest."""

    hook: str
    number: int
    reasons: str
    newest_at: datetime

    def __str__(self) -> str:
        number = things(self.number, "call") if self.number < MOST else f"{MOST:,} calls or more"
        return f"{number} refused: {self.reasons}"


def refused_lately(deps: Deps) -> dict[str, str]:
    """Return by campaign and hook how many calls were refused recently, and why.

    Calls within an hour of each other are counted together.
    """
    now = deps.now()
    with deps.reads() as session:
        began = {incident.subject: incident.opened_at for incident in incidents.current(session, [KIND])}
    since = min([now, *began.values()]) - QUIET
    told = _by_hook(
        call for call in _waiting(deps.reads, since) if _last_at(call) >= began.get(_hook(call), now) - QUIET
    )
    return {found.hook: str(found) for found in told if now - found.newest_at <= QUIET}


def unkept_lately(deps: Deps) -> dict[str, str]:
    """Return by campaign and hook how many refused calls were recently counted and not kept."""
    with deps.reads() as session:
        rows = hook_events.unkept(session, deps.now() - QUIET)
    return {
        _hook(row): f"{things(row.times, 'call')} from {row.source} since {said_at(deps, row.received_at)} not kept"
        for row in rows
    }


def refused_and_waiting(
    reads: sessionmaker[Session], since: datetime | None = None, until: datetime | None = None
) -> list[Refused]:
    """Return the refused calls of a span, or all that are kept, that wait for a fix, by hook."""
    return _by_hook(_waiting(reads, since, until))


def _waiting(reads: sessionmaker[Session], since: datetime | None, until: datetime | None = None) -> list[HookEvent]:
    with reads() as session:
        calls = hook_events.newest_refused(session, since, MOST)
    return [call for call in calls if waits_for_fix(call) and (until is None or call.received_at < until)]


def _by_hook(calls: Iterable[HookEvent]) -> list[Refused]:
    of_hook: dict[str, list[HookEvent]] = defaultdict(list)
    for call in calls:
        of_hook[_hook(call)].append(call)
    return [
        Refused(hook, sum(call.times for call in them), _reasons(them), max(map(_last_at, them)))
        for hook, them in sorted(of_hook.items())
    ]


def _last_at(call: HookEvent) -> datetime:
    """Return when a call, or an identical one, came last."""
    return max(call.received_at, call.happened_at or call.received_at)


def _hook(call: HookEvent) -> str:
    return f"{call.campaign}/{call.hook}"


def _reasons(calls: list[HookEvent]) -> str:
    counted = Counter(reason_of(call) or "no reason given" for call in calls)
    return " or ".join(reason.rstrip(".") for reason, _ in counted.most_common(MOST_REASONS))
