"""Scheduled doctor: all checks each quarter of an hour, and again when the last result is outdated."""

from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.spoken import full_stop
from funnel_app.deps import Deps
from funnel_app.flows.monitoring import doctor
from funnel_app.flows.monitoring.checks.check import Status
from funnel_app.flows.monitoring.watch import Observation, Probe, look_through
from funnel_app.ledger import incidents

# Checks whose faults have an alarm of their own.
ALSO_WATCHED = frozenset(
    {
        "redis",
        "redis eviction",
        "redis persistence",
        "redis access",
        "scheduler",
        "workers",
        "queues",
        "sending",
        "overdue",
    }
    | {"backups", "replica", "heartbeat", "disk space", "clock"}
    | {"resend events", "public address", "canary", "invariants"}
    | {"notion token", "templates"}
)

AGAIN_AFTER = timedelta(minutes=1)


def watch_with_doctor(deps: Deps) -> None:
    """Run all checks, and record the faults that no probe covers."""
    look_through(deps, (Probe(("doctor",), _doctor),))


def look_again(deps: Deps) -> None:
    """Run all checks again if an incident began or ended since the last run, or a fault was found.

    At most once a minute, and not while Redis, which stores the findings, is away.
    """
    if deps.queues.why_away():
        return
    last = doctor.last_examination(deps.process_status)
    if last is None or (deps.now() - last.at >= AGAIN_AFTER and _is_outdated(deps.reads, last)):
        watch_with_doctor(deps)


def _is_outdated(reads: sessionmaker[Session], last: doctor.Examination) -> bool:
    with reads() as session:
        return last.counted(Status.FAULT) > 0 or incidents.any_changed_since(session, last.at)


def _doctor(deps: Deps) -> Observation:
    told: set[str] = set()
    for check in doctor.examine_and_keep(deps):
        # Checks that fail for a common cause are reported once.
        if check.status is not Status.FAULT or check.detail in told:
            continue
        told.add(check.detail)
        if check.name not in ALSO_WATCHED:
            yield "doctor", check.name, _sentences(check.detail, check.fix)


def _sentences(detail: str, fix: str) -> str:
    return f"{full_stop(detail)} {fix[:1].upper()}{fix[1:]}"
