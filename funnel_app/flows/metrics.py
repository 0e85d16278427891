"""Metrics: the figures that a monitor reads, from the ledger and Redis, so that they are right with many processes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from funnel_app.deps import Deps
from funnel_app.flows.alarms import ALARMS
from funnel_app.flows.canary import latest
from funnel_app.flows.checks.redis import living_workers
from funnel_app.flows.invariants import count_invariants
from funnel_app.flows.ready import SCHEDULER
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger import incidents, watching

SPAN = timedelta(hours=24)
ON_TIME = timedelta(seconds=10)
QUANTILES = (0.5, 0.9, 0.99, 1.0)

Rows = Mapping[tuple[str, ...], float]


@dataclass(frozen=True)
class Figure:
    """One figure: its name after `funnel_`, what it is, its labels' names, and a value for each set of labels."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    rows: Rows


def figures(deps: Deps) -> Iterator[Figure]:
    """Return every figure. Those of Redis are left out while it is away, and `funnel_redis_up` says so."""
    yield from _of_ledger(deps)
    try:
        of_redis = list(_of_redis(deps))
    except Unavailable:
        of_redis = []
    yield _one("redis_up", "1 where Redis answers", 1.0 if of_redis else 0.0)
    yield from of_redis


def _of_ledger(deps: Deps) -> Iterator[Figure]:
    now = deps.now()
    with deps.reads() as session:
        emails = watching.emails_by_state(session)
        hooks = watching.hooks_by_outcome(session)
        refused = watching.hooks_refused(session)
        late = sorted(watching.lateness_since(session, now - SPAN))
        current = incidents.current(session)
    yield Figure(
        "emails", "Emails by where they stand; canaries are not counted", ("mode", "sequence", "state"), emails
    )
    yield Figure("hooks_total", "Calls of hooks that were understood", ("mode", "hook", "outcome"), hooks)
    # No counter: they are deleted in time, and what falls would be taken for a restart.
    yield Figure("hooks_refused", "Calls of hooks of the last 30 days that were refused", ("mode", "hook"), refused)
    broken: Rows = {(name,): float(count) for name, count in count_invariants(deps).items()}
    yield Figure("invariant_broken", "How often what must never be is so now", ("invariant",), broken)
    yield _lateness(late)
    on_time = sum(seconds <= ON_TIME.total_seconds() for seconds in late)
    words = "Share of the emails of the last day that Resend took within 10 s of their time"
    yield _one("sent_on_time_ratio", words, on_time / len(late) if late else 1.0)
    open_kinds = [incident.kind for incident in current]
    rows: Rows = {(kind,): float(open_kinds.count(kind)) for kind in sorted({*ALARMS, *open_kinds})}
    yield Figure("incidents", "What is wrong now, by kind of alarm", ("kind",), rows)
    yield from _of_canary(deps)


def _lateness(late: list[float]) -> Figure:
    rows: Rows = {(f"{q:g}",): late[min(int(q * len(late)), len(late) - 1)] for q in QUANTILES} if late else {}
    return Figure("lateness_seconds", "From an email's time to Resend's taking it, over a day", ("quantile",), rows)


def _of_canary(deps: Deps) -> Iterable[Figure]:
    flight = latest(deps)
    if flight is None:
        return
    age = (deps.now() - flight.started_at).total_seconds()
    yield _one("canary_age_seconds", "Since the newest canary started", age)
    yield _one("canary_delivered", "1 where the newest canary arrived", 1.0 if flight.delivered_at else 0.0)
    if flight.delivered_at:
        took = (flight.delivered_at - flight.started_at).total_seconds()
        yield _one("canary_seconds", "From the public hook to the proof of delivery", max(took, 0.0))


def _of_redis(deps: Deps) -> Iterator[Figure]:
    depths, seen, pause = deps.vitals.depths(), deps.vitals.seen(), deps.pause.current()
    rows: Rows = {(name,): float(depth) for name, depth in depths.queues.items()}
    yield Figure("queue_jobs", "Jobs that wait", ("queue",), rows)
    yield _one("clock_jobs", "Jobs whose time has not come", depths.clock)
    yield _one("failed_jobs", "Jobs that failed within a day for an unknown reason", depths.failed)
    yield _one("workers", "Workers heard of lately", living_workers(deps))
    if SCHEDULER in seen:
        age = (deps.now() - seen[SCHEDULER]).total_seconds()
        yield _one("scheduler_tick_age_seconds", "Since the scheduler's last tick", max(age, 0.0))
    paused: Rows = {(pause.kind,): 1.0} if pause else {}
    yield Figure("sending_paused", "1 with the kind of pause while no email goes out", ("kind",), paused)


def _one(name: str, meaning: str, value: float) -> Figure:
    return Figure(name, meaning, (), {(): float(value)})
