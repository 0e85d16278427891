"""Scheduled doctor: all checks each quarter of an hour, and again when the last result is outdated."""

from datetime import timedelta

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.deps import Deps
from funnel_app.flows.monitoring import doctor
from funnel_app.flows.monitoring.alerts.alarms import DOCTOR
from funnel_app.flows.monitoring.check import Status, in_sentences
from funnel_app.flows.monitoring.probes.watch import Observation, Probe, look_through
from funnel_app.flows.monitoring.status.examination import Examination, last_examination, unwatched_faults
from funnel_app.ledger import incidents

AGAIN_AFTER = timedelta(minutes=1)


def watch_with_doctor(deps: Deps) -> None:
    """Run all checks, and record the faults that no probe covers."""
    look_through(deps, (Probe((DOCTOR,), _doctor),))


def look_again(deps: Deps) -> None:
    """Run all checks again if an incident began or ended since the last run, or a fault was found.

    At most once a minute, and not while Redis, which stores the findings, is away.
    """
    if deps.queues.why_away():
        return
    last = last_examination(deps.process_status)
    if last is None or (deps.now() - last.at >= AGAIN_AFTER and _is_outdated(deps.reads, last)):
        watch_with_doctor(deps)


def _is_outdated(reads: sessionmaker[Session], last: Examination) -> bool:
    with reads() as session:
        return last.counted(Status.FAULT) > 0 or incidents.any_changed_since(session, last.at)


def _doctor(deps: Deps) -> Observation:
    for check in unwatched_faults(doctor.examine_and_keep(deps)):
        yield DOCTOR, check.name, in_sentences(check)
