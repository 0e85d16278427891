"""Sweep: find in the ledger whatever Redis, a crash or an outage lost, and requeue it."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

import structlog

from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.intake.add_steps import plan_missing
from funnel_app.flows.intake.keep_refused import forget_refused
from funnel_app.flows.intake.schedule import schedule
from funnel_app.flows.mirror.mirror import mirror_is_behind
from funnel_app.flows.monitoring.alerts.invariants import count_invariants
from funnel_app.flows.monitoring.statistics.count_days import count_days
from funnel_app.flows.sending.reconcile import has_unconfirmed
from funnel_app.flows.sending.record_event import adopt_orphans
from funnel_app.gateways.redis.queue import (
    Call,
    Queues,
    deliver_job,
    mirror_job,
    queue_of,
    recheck_job,
    reconcile_job,
    repeat_job,
)
from funnel_app.ledger import contacts, emails, enrolments, messages, requests
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import EnrolmentState

OVERDUE_AFTER = timedelta(seconds=2)
BODIES_KEPT_FOR = timedelta(days=30)
AT_A_TIME = 1000

log = structlog.get_logger()


@dataclass(frozen=True)
class Swept:
    """The number of things that one sweep requeued."""

    requeued: int
    overdue: int
    repeated: int
    held: int
    completed: int
    scheduled: int
    forgotten: int
    asked: int
    adopted: int
    filled: int
    emptied: int
    mirrored: int
    counted: int
    broken: dict[str, int]


def sweep(deps: Deps) -> Swept:
    """Requeue everything that is stuck. Safe to repeat, and to race.

    Raises Unavailable if Redis cannot be reached.
    """
    # First, so that requeued emails go with the overdue ones now.
    requeued = _requeue_abandoned(deps)
    overdue = _push_overdue(deps)
    swept = Swept(
        requeued=requeued,
        overdue=overdue,
        repeated=_push_requests(deps),
        held=_push_recheck(deps),
        completed=complete(deps),
        scheduled=_schedule_missing(deps),
        forgotten=forget_refused(deps),
        # Reads count towards the team's rate, so waiting emails go first.
        asked=0 if overdue else _push_reconcile(deps),
        adopted=adopt_orphans(deps),
        filled=plan_missing(deps),
        emptied=_empty_old(deps),
        mirrored=_push_mirror(deps),
        broken={name: count for name, count in count_invariants(deps).items() if count},
        # The least urgent of all, and so the last.
        counted=count_days(deps),
    )
    if swept.requeued or swept.repeated or swept.completed or swept.filled or swept.broken:
        # `given_back` is what `requeued` was called, and stays for one release.
        log.info("sweep_finished", **asdict(swept), given_back=swept.requeued)
    return swept


def _requeue_abandoned(deps: Deps) -> int:
    now = deps.now()
    with deps.reads() as session:
        lost = emails.abandoned(session, now, AT_A_TIME)
    return sum(_requeue(deps, email_id) for email_id in lost)


@retry_on_conflict
def _requeue(deps: Deps, email_id: UUID) -> bool:
    now = deps.now()
    with deps.sessions.begin() as session:
        contacts.lock_of_emails(session, [email_id])
        for email in emails.load(session, emails.abandoned(session, now, AT_A_TIME)):
            if email.id == email_id:
                emails.move(session, email, State.PLANNED, now, "requeued: the worker that claimed it died")
                return True
    return False


def _paused(deps: Deps) -> bool:
    pause = deps.pause.current()
    return pause is not None and pause.until > deps.now()


def _push_overdue(deps: Deps) -> int:
    if _paused(deps):
        return 0
    # Emails just due are the clock's, unless Redis lost them.
    patience = OVERDUE_AFTER if deps.queues.marked() else timedelta(0)
    with deps.reads() as session:
        overdue = emails.due(session, deps.now() - patience, deps.sendable_modes, AT_A_TIME)
    return _push(deps.queues, (deliver_job(email.id, queue_of(email.kind)) for email in overdue))


def _push_requests(deps: Deps) -> int:
    if _paused(deps):
        return 0
    with deps.reads() as session:
        waiting = requests.repeatable(session, deps.now(), AT_A_TIME)
    return _push(deps.queues, (repeat_job(request_id) for request_id in waiting))


def _push_recheck(deps: Deps) -> int:
    with deps.reads() as session:
        waiting = emails.held(session, deps.now(), deps.sendable_modes, 1)
    return _push(deps.queues, [recheck_job()] if waiting else [])


def _push_reconcile(deps: Deps) -> int:
    return _push(deps.queues, [reconcile_job()] if has_unconfirmed(deps) else [])


def _push_mirror(deps: Deps) -> int:
    return _push(deps.queues, [mirror_job()] if mirror_is_behind(deps) else [])


def _empty_old(deps: Deps) -> int:
    before = deps.now() - BODIES_KEPT_FOR
    with deps.reads() as session:
        old = messages.with_body(session, before, AT_A_TIME)
    if old:
        with deps.sessions.begin() as session:
            messages.forget_bodies(session, old)
    return len(old)


def _push(queues: Queues, jobs: Iterable[Call]) -> int:
    entries = list(jobs)
    return queues.push(entries) if entries else 0


@retry_on_conflict
def complete(deps: Deps) -> int:
    """End the enrolments that have nothing more to send; return how many. Safe to repeat."""
    now = deps.now()
    with deps.reads() as session:
        done = [(e.id, e.contact_id) for e in enrolments.finished(session, AT_A_TIME)]
    if not done:
        return 0
    with deps.sessions.begin() as session:
        contacts.lock(session, [contact_id for _, contact_id in done])
        finished = [e for e in enrolments.finished(session, AT_A_TIME) if (e.id, e.contact_id) in done]
        for enrolment in finished:
            enrolments.end(session, enrolment, EnrolmentState.COMPLETED, None, now)
            enrolment.mirror_stale_since = now
        return len(finished)


def _schedule_missing(deps: Deps) -> int:
    now = deps.now()
    with deps.reads() as session:
        near = emails.planned_between(session, now, now + deps.settings.schedule_horizon, AT_A_TIME)
    known = deps.queues.scheduled([email.id for email in near]) if near else set()
    missing = [email for email in near if email.id not in known]
    schedule(deps, missing)
    deps.queues.mark()
    return len(missing)
