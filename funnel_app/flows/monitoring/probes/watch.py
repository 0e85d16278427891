"""Watch: run every probe, and update the incidents.

Each probe covers some kinds of alarm. If it cannot run, since Redis or the ledger is away, its incidents stay open:
nothing ends just because it could not be checked.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import structlog

from funnel_app.campaigns.spoken import things
from funnel_app.campaigns.states import BADLY_ENDED
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.incidents import note
from funnel_app.flows.monitoring.alerts.invariants import INVARIANTS, count_invariants
from funnel_app.flows.monitoring.check import Status
from funnel_app.flows.monitoring.probes import (
    backups,
    canary,
    gone_quiet,
    refused_calls,
    stopped_lists,
    unauthenticated_calls,
)
from funnel_app.flows.monitoring.probes.disk import free_space
from funnel_app.flows.monitoring.probes.undelivered import undelivered_lately
from funnel_app.flows.monitoring.status import ledger_health
from funnel_app.flows.monitoring.status.going_out import why_late
from funnel_app.flows.monitoring.status.needs import words_of_counted
from funnel_app.flows.monitoring.status.ready import Part, silent_parts
from funnel_app.flows.monitoring.status.workers import living_workers, wanted_workers
from funnel_app.flows.outbox import receiver_status
from funnel_app.flows.replies import standing as replies
from funnel_app.gateways.errors import GatewayError, Unavailable
from funnel_app.gateways.redis.queue import Queues

# Consequences of any stop of sending.
LATENESS = ("overdue", "stuck")
OTHERS = tuple(name for name in INVARIANTS if name not in LATENESS)
# The pauses that are reported, by kind. A rate limit ends by itself within seconds.
PAUSES = {"config": "sending_paused", "quota": "sending_paused", "outage": "resend_away", "clock": "clock_jumped"}
ALARM_OF = {Part.SCHEDULER: "scheduler_silent", Part.WORKERS: "worker_gone"}
log = structlog.get_logger()

Observation = Iterator[tuple[str, str, str]]


@dataclass(frozen=True)
class Probe:
    """One probe: the kinds of alarm it covers, and a function that yields kind, subject and detail."""

    kinds: tuple[str, ...]
    see: Callable[[Deps], Observation]


def watch(deps: Deps) -> None:
    """Run all quick probes, and record what is wrong. Safe to race."""
    look_through(deps, LOOKS)


def watch_from_web(deps: Deps) -> None:
    """Check what only another process can see of the scheduler: that it is silent."""
    look_through(deps, WEB_LOOKS)


def look_through(deps: Deps, looks: tuple[Probe, ...]) -> None:
    """Run these probes, and record what they find."""
    note(deps, *look(deps, looks))


def look(deps: Deps, looks: Iterable[Probe]) -> tuple[dict[tuple[str, str], str], set[str]]:
    """Run these probes; return what they find, by kind and subject, and the kinds of those that could run."""
    found: dict[tuple[str, str], str] = {}
    covered: set[str] = set()
    for probe in looks:
        try:
            seen = {(kind, subject): detail for kind, subject, detail in probe.see(deps)}
        except Unavailable as error:
            log.info("check_skipped", kinds=probe.kinds, error=str(error))
            continue
        found |= seen
        covered.update(probe.kinds)
    return found, covered


def _redis(deps: Deps) -> Observation:
    if why := deps.queues.why_away():
        yield "redis_away", "", f"Redis {why}"


def _require_redis(queues: Queues) -> None:
    # A Redis that refuses writes shows no heartbeats, and is reported already.
    if why := queues.why_away():
        raise Unavailable("redis", str(why))


def _silent(deps: Deps, part: Part) -> Observation:
    _require_redis(deps.queues)
    yield from ((ALARM_OF[part], "", stop.words) for stop in silent_parts(deps) if stop.part is part)


def _scheduler(deps: Deps) -> Observation:
    yield from _silent(deps, Part.SCHEDULER)


def _workers(deps: Deps) -> Observation:
    silent = list(_silent(deps, Part.WORKERS))
    yield from silent
    living, wanted = living_workers(deps), wanted_workers(deps)
    if not silent and living < wanted:
        heard = f"{living} of {things(wanted, 'worker')} heard of in the last {_seconds(deps.settings)} s"
        yield "worker_gone", "", heard


def _seconds(settings: Settings) -> int:
    return round(settings.silent_after.total_seconds())


def _web(deps: Deps) -> Observation:
    try:
        deps.public.check()
    except GatewayError as error:
        yield "web_away", "", f"{deps.settings.public_url}: {error.message}"


def _sending(deps: Deps) -> Observation:
    pause = deps.pause.current()
    if pause is not None and pause.kind in PAUSES:
        yield PAUSES[pause.kind], "", pause.reason


def _disk(deps: Deps) -> Observation:
    check = free_space(deps.engine)
    if check.status is Status.FAULT:
        yield "disk_full", "", check.detail


def _jobs(deps: Deps) -> Observation:
    depths = deps.process_status.depths()
    if depths.failed or depths.unreadable:
        yield "jobs_failed", "", f"{depths.failed:,} failed, {depths.unreadable:,} set aside: not ours, or not readable"


def _silence(deps: Deps) -> Observation:
    for hook, words in gone_quiet.silent_hooks(deps).items():
        yield "hook_silent", hook, words
    if without_echo := gone_quiet.without_echo(deps):
        yield "provider_silent", "", without_echo


def invariants_broken(deps: Deps, names: Iterable[str]) -> Observation:
    """Yield which of these invariants are broken, and how often."""
    for name, broken in count_invariants(deps, names).items():
        if broken:
            yield name, "", f"{broken:,} {INVARIANTS[name].broken}"


def _lateness(deps: Deps) -> Observation:
    _require_redis(deps.queues)
    if why := why_late(deps):
        raise Unavailable("sending", why)
    yield from invariants_broken(deps, LATENESS)


def _others(deps: Deps) -> Observation:
    seen = list(invariants_broken(deps, OTHERS))
    words = words_of_counted(deps) if seen else {}
    yield from ((kind, about, words.get(kind, detail)) for kind, about, detail in seen)


def _refused(deps: Deps) -> Observation:
    for hook, words in refused_calls.refused_lately(deps).items():
        yield refused_calls.KIND, hook, words
    for hook, words in refused_calls.unkept_lately(deps).items():
        yield refused_calls.NOT_KEPT, hook, words


def _unauthenticated(deps: Deps) -> Observation:
    for hook, words in unauthenticated_calls.recent_counts(deps.process_status).items():
        yield unauthenticated_calls.KIND, hook, words


def _undelivered(deps: Deps) -> Observation:
    for state, words in undelivered_lately(deps).items():
        yield state, "", words


def _canary(deps: Deps) -> Observation:
    if words := canary.late(deps):
        yield "canary_late", "", words


def _backups(deps: Deps) -> Observation:
    if old := backups.why_old(deps):
        yield backups.OLD, "", old


def _kept_backups(deps: Deps) -> Observation:
    yield from ((backups.BROKEN, name, why) for name, why in backups.still_broken(deps).items())


def _replica(deps: Deps) -> Observation:
    if behind := backups.why_behind(deps):
        yield backups.BEHIND, "", behind


def _damage(deps: Deps) -> Observation:
    if damage := ledger_health.known_damage(deps.reads):
        yield ledger_health.KIND, "", damage


def _receivers(deps: Deps) -> Observation:
    for host, words in receiver_status.away(deps).items():
        yield receiver_status.KIND, host, words
    if given_up := receiver_status.given_up_lately(deps):
        yield receiver_status.GIVEN_UP, "", given_up


def _replies(deps: Deps) -> Observation:
    if waiting := replies.waiting_long(deps):
        yield replies.WAITING, "", waiting
    if kept := replies.kept_lately(deps):
        yield replies.KEPT, "", kept


def _lists(deps: Deps) -> Observation:
    if stopped := stopped_lists.stopped_lately(deps):
        yield stopped_lists.KIND, "", stopped


LOOKS: tuple[Probe, ...] = (
    Probe((ledger_health.KIND,), _damage),
    Probe((backups.OLD,), _backups),
    Probe((backups.BROKEN,), _kept_backups),
    Probe((backups.BEHIND,), _replica),
    Probe(("redis_away",), _redis),
    Probe(("scheduler_silent",), _scheduler),
    Probe(("worker_gone",), _workers),
    Probe(("web_away",), _web),
    Probe(("sending_paused", "resend_away", "clock_jumped"), _sending),
    Probe(("disk_full",), _disk),
    Probe(("jobs_failed",), _jobs),
    Probe(("hook_silent", "provider_silent"), _silence),
    Probe((refused_calls.KIND, refused_calls.NOT_KEPT), _refused),
    Probe((unauthenticated_calls.KIND,), _unauthenticated),
    Probe(("canary_late",), _canary),
    Probe((receiver_status.KIND, receiver_status.GIVEN_UP), _receivers),
    Probe((replies.WAITING, replies.KEPT), _replies),
    Probe((stopped_lists.KIND,), _lists),
    Probe(tuple(BADLY_ENDED), _undelivered),
    Probe(LATENESS, _lateness),
    Probe(OTHERS, _others),
)
WEB_LOOKS: tuple[Probe, ...] = (Probe(("redis_away",), _redis), Probe(("scheduler_silent",), _scheduler))
