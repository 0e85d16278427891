"""Checks of Redis and what depends on it: scheduler, workers, queues, and pauses of sending."""

from datetime import datetime

from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.check import Findings, fault, ok, one_fault, warning
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.flows.monitoring.status.going_out import GONE_ON, going_out, going_out_words
from funnel_app.flows.monitoring.status.ready import FIRST_GOES, SCHEDULER, Part, lets_first_go, silent_parts
from funnel_app.flows.monitoring.status.workers import living_workers, wanted_workers
from funnel_app.flows.sending.sending_status import pause_words
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.exposure import Exposure
from funnel_app.gateways.redis.process_status import ProcessStatus
from funnel_app.ledger import pauses
from funnel_app.ledger.queries import counts

LONG_QUEUE = 200
FIX = "see that Redis runs and that REDIS_URL is right"
NAMED = "do what is said there; nothing is lost, and what waits goes by itself"
NONE_GOES = "nothing is sent"
NAMES = ("redis", "redis eviction", "redis persistence", "redis access", "scheduler", "workers", "queues", "sending")


def redis(deps: Deps) -> Findings:
    """Redis answers, accepts writes, evicts nothing, and the processes that use it are running."""
    if why := deps.queues.why_away():
        yield one_fault(NAMES, f"Redis {why}; sign-ups and bookings are still taken", NAMED if why.answers else FIX)
        return
    try:
        found = [*_redis(deps.process_status), *_processes(deps), *_queues(deps.process_status), *_sending(deps)]
    except Unavailable as error:
        yield one_fault(NAMES, f"Redis cannot be reached ({error.message}); sign-ups and bookings are still taken", FIX)
        return
    yield from found


def _redis(process_status: ProcessStatus) -> Findings:
    facts = process_status.facts()
    known = f"version {facts.version} answers" if facts.version != "?" else "answers; our user may not ask INFO"
    yield ok("redis", f"{known}, and takes writes")
    if facts.policy != "noeviction":
        words = f"{facts.policy}: under memory pressure Redis throws jobs away"
        yield warning("redis eviction", words, "set maxmemory-policy noeviction; the sweep finds what was lost")
    else:
        yield ok("redis eviction", "noeviction")
    if facts.keeps is False:
        words = "keeps nothing over a restart; the sweep fills it again from the ledger"
        yield warning("redis persistence", words, "set appendonly yes, so that nothing is late after a restart")
    else:
        yield ok("redis persistence", "kept over a restart" if facts.keeps else "Redis does not say")
    if facts.exposure in {Exposure.GUARDED, Exposure.LOCAL}:
        yield ok("redis access", facts.exposure)
    else:
        words = f"{facts.exposure}: they may lose, hasten and repeat jobs, though they run no code"
        yield warning(
            "redis access", words, "set requirepass in Redis and the password in REDIS_URL, or bind it to 127.0.0.1"
        )


def _processes(deps: Deps) -> Findings:
    found = silent_parts(deps)
    silent = {stop.part: stop.words for stop in found}
    if Part.SCHEDULER in silent:
        fix = f"start it: python -m jobs.scheduler; until then {FIRST_GOES if lets_first_go(found) else NONE_GOES}"
        yield fault("scheduler", silent[Part.SCHEDULER], fix)
    else:
        yield ok("scheduler", f"last tick {_ago(deps.process_status.seen().get(SCHEDULER), deps.now())}")
    living = living_workers(deps)
    fix = "start them: python -m jobs.worker"
    wanted = wanted_workers(deps)
    words = f"{living} of {things(wanted, 'worker')} heard of lately"
    if Part.WORKERS in silent:
        yield fault("workers", silent[Part.WORKERS], fix)
    elif living < wanted:
        yield warning("workers", words, fix)
    else:
        yield ok("workers", words)


def _queues(process_status: ProcessStatus) -> Findings:
    depths = process_status.depths()
    waiting = sum(depths.queues.values())
    words = f"{things(waiting, 'job')} waiting, {depths.clock:,} on the clock, {depths.failed:,} failed"
    if depths.unreadable or depths.failed:
        words += f", {depths.unreadable:,} set aside" if depths.unreadable else ""
        yield warning("queues", words, "read the worker's log for the cause; the sweep sends what they were to send")
    elif waiting > LONG_QUEUE:
        yield warning("queues", words, "see that the workers work, or raise WORKERS")
    else:
        yield ok("queues", words)


def _sending(deps: Deps) -> Findings:
    pause, manual = deps.pause.current(), _paused_by_people(deps)
    if pause is None and manual:
        yield warning("sending", manual, "resume it with flask sending resume, or under Pauses in the console")
    elif pause is None:
        yield ok("sending", "not paused")
    else:
        words = f"paused ({pause.kind}) until {said_at(deps, pause.until)} at least: {pause.reason}"
        yield fault("sending", words, FIXES.get(pause.kind, "wait: it goes on by itself"))


def _paused_by_people(deps: Deps) -> str:
    with deps.reads() as session:
        return "; ".join(pause_words(deps, each) for each in pauses.standing(session, deps.now()))


FIXES = {
    "config": "fix what Resend names (key, domain, sender); sending tries again by itself",
    "outage": "fix the setting that it names; where it names none, wait: it goes on by itself",
    "quota": "raise the plan at Resend, or wait: it goes on when the quota resets",
    "clock": "set this machine's clock; sending goes on by itself when it is right",
}


def overdue(deps: Deps) -> Findings:
    """No email is past its time."""
    now = deps.now()
    with deps.reads() as session:
        late = counts.overdue(session, now - deps.settings.silent_after, deps.sendable_modes)
    if waited := going_out(deps):
        yield ok("overdue", f"{going_out_words(waited)}: {GONE_ON}")
    elif late:
        fix = "see the checks of scheduler, workers, sending and templates: one of them says why"
        yield fault("overdue", f"{things(late, 'email')} should have gone over a minute ago", fix)
    else:
        yield ok("overdue", "nothing waits past its time")


def _ago(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "not heard of yet"
    return f"{max(0, (now - at).total_seconds()):.0f} s ago"
