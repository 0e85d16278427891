"""Metrics, read from the ledger and Redis, so that they are right with many processes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.alarms import ALARMS
from funnel_app.flows.monitoring.alerts.invariants import count_invariants
from funnel_app.flows.monitoring.probes.canary import latest
from funnel_app.flows.monitoring.status.ready import SCHEDULER
from funnel_app.flows.monitoring.status.workers import living_workers
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger import incidents, pauses
from funnel_app.ledger.queries import watching

SPAN = timedelta(hours=24)
ON_TIME = timedelta(seconds=10)
QUANTILES = (0.5, 0.9, 0.99, 1.0)

Rows = Mapping[tuple[str, ...], float]


@dataclass(frozen=True)
class Kind:
    """A metric's description and labels; one whose name ends with _total is a counter."""

    meaning: str
    labels: tuple[str, ...] = ()


# By name without the prefix `funnel_`.
KINDS: Mapping[str, Kind] = {
    "emails": Kind("Emails by where they stand; test emails are not counted", ("mode", "sequence", "state")),
    "invariant_broken": Kind("How many times what must never be is so now", ("invariant",)),
    "incidents": Kind("What is wrong now, by kind of alarm", ("kind",)),
    "hooks_total": Kind("Calls that were understood", ("mode", "hook", "outcome")),
    # Gauges, since old rows are deleted: a falling counter would look like a restart.
    "hooks_refused": Kind("Calls of the last 30 days that could not be used", ("mode", "hook")),
    "hooks_corrected": Kind("Calls that were taken without a field, or with a corrected one", ("mode", "hook")),
    "lateness_seconds": Kind("From an email's time to Resend's taking it, over a day", ("quantile",)),
    "sent_on_time_ratio": Kind("Share of the emails of the last day that Resend took within 10 s of their time"),
    "canary_age_seconds": Kind("Since the newest test email started"),
    "canary_delivered": Kind("1 where the newest test email arrived"),
    "canary_seconds": Kind("From the public address to the proof of delivery, for the newest test email"),
    "paused_by_people": Kind("1 for each sequence that a person has paused; `all` for all sending", ("sequence",)),
    "redis_up": Kind("1 where Redis answers; what follows is left out while it does not"),
    "queue_jobs": Kind("Jobs that wait", ("queue",)),
    "clock_jobs": Kind("Jobs whose time has not come"),
    "failed_jobs": Kind("Jobs that failed within a day for an unknown reason"),
    "workers": Kind("Workers heard of lately"),
    "scheduler_tick_age_seconds": Kind("Since the scheduler's last tick"),
    "sending_paused": Kind("1 with the kind of pause while no email goes out", ("kind",)),
}


@dataclass(frozen=True)
class Figure:
    """One metric: its name without the prefix, and a value for each set of labels."""

    name: str
    rows: Rows

    @property
    def kind(self) -> Kind:
        """The metric's description; KeyError if it is not listed."""
        return KINDS[self.name]


def figures(deps: Deps) -> Iterator[Figure]:
    """Return every metric. Without Redis its metrics are left out, and `funnel_redis_up` is 0."""
    yield from _of_ledger(deps)
    try:
        of_redis = list(_of_redis(deps))
    except Unavailable:
        of_redis = []
    yield _one("redis_up", 1.0 if of_redis else 0.0)
    yield from of_redis


def _of_ledger(deps: Deps) -> Iterator[Figure]:
    now = deps.now()
    with deps.reads() as session:
        emails = watching.emails_by_state(session)
        hooks, refused = watching.hooks_by_outcome(session), watching.hooks_refused(session)
        corrected = watching.hooks_corrected(session)
        late = sorted(watching.lateness(session, now - SPAN, now))
        current = incidents.current(session)
        by_people = pauses.standing(session, now)
    yield Figure("emails", emails)
    yield Figure("invariant_broken", {(name,): float(count) for name, count in count_invariants(deps).items()})
    open_kinds = [incident.kind for incident in current]
    rows: Rows = {(kind,): float(open_kinds.count(kind)) for kind in sorted({*ALARMS, *open_kinds})}
    yield Figure("incidents", rows)
    yield Figure("hooks_total", hooks)
    yield Figure("hooks_refused", refused)
    yield Figure("hooks_corrected", corrected)
    yield _lateness(late)
    on_time = sum(seconds <= ON_TIME.total_seconds() for seconds in late)
    yield _one("sent_on_time_ratio", on_time / len(late) if late else 1.0)
    yield Figure("paused_by_people", {("all" if p.of_everything else p.sequence,): 1.0 for p in by_people})
    yield from _of_canary(deps)


def _lateness(late: list[float]) -> Figure:
    rows: Rows = {(f"{q:g}",): late[min(int(q * len(late)), len(late) - 1)] for q in QUANTILES} if late else {}
    return Figure("lateness_seconds", rows)


def _of_canary(deps: Deps) -> Iterable[Figure]:
    run = latest(deps.reads)
    if run is None:
        return
    yield _one("canary_age_seconds", (deps.now() - run.started_at).total_seconds())
    yield _one("canary_delivered", 1.0 if run.delivered_at else 0.0)
    if run.delivered_at:
        yield _one("canary_seconds", max((run.delivered_at - run.started_at).total_seconds(), 0.0))


def _of_redis(deps: Deps) -> Iterator[Figure]:
    depths, seen, pause = deps.process_status.depths(), deps.process_status.seen(), deps.pause.current()
    yield Figure("queue_jobs", {(name,): float(depth) for name, depth in depths.queues.items()})
    yield _one("clock_jobs", depths.clock)
    yield _one("failed_jobs", depths.failed)
    yield _one("workers", living_workers(deps))
    if SCHEDULER in seen:
        yield _one("scheduler_tick_age_seconds", max((deps.now() - seen[SCHEDULER]).total_seconds(), 0.0))
    yield Figure("sending_paused", {(pause.kind,): 1.0} if pause else {})


def _one(name: str, value: float) -> Figure:
    return Figure(name, {(): float(value)})
