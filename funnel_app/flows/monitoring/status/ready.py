"""Ready: what keeps Funnel from working now. The one place that decides when a part counts as silent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.flows.monitoring.status.ledger_health import why_unusable
from funnel_app.flows.sending.sending_status import pause_reason
from funnel_app.gateways.errors import Unavailable

SCHEDULER = "scheduler"
WORKER = "worker"
NO_WORKER = f"no {WORKER} has been heard of"
# What is due at a call is queued by the call itself; all later emails become due by the scheduler.
FIRST_GOES = "the first email after a sign-up still goes, and later ones wait"


class Part(StrEnum):
    """A part that Funnel cannot work without."""

    LEDGER = "ledger"
    REDIS = "redis"
    SCHEDULER = "scheduler"
    WORKERS = "workers"


@dataclass(frozen=True)
class Stop:
    """A part that does not work, with the reason as a clause."""

    part: Part
    words: str


def stops(deps: Deps) -> list[Stop]:
    """Return every part that does not work, the ledger first. Never raises."""
    unusable = why_unusable(deps)
    return ([Stop(Part.LEDGER, unusable)] if unusable else []) + silent_parts(deps)


def faults(deps: Deps) -> list[str]:
    """Return what is missing, in plain words; empty if nothing is."""
    return [stop.words for stop in stops(deps)]


def silent_parts(deps: Deps) -> list[Stop]:
    """Return which of Redis, the scheduler and the workers is silent. Never raises."""
    if why := deps.queues.why_away():
        return [Stop(Part.REDIS, f"Redis {why}")]
    try:
        return [stop for stop in (_scheduler(deps), _workers(deps)) if stop]
    except Unavailable:
        return [Stop(Part.REDIS, "Redis cannot be reached")]


def why_all_waits(deps: Deps) -> str | None:
    """Return in plain words why no email that is planned can go now: a pause, or a silent part. Never raises."""
    if paused := pause_reason(deps):
        return paused
    found = silent_parts(deps)
    return why_planned_wait(found) if found else None


def why_planned_wait(found: Sequence[Stop]) -> str:
    """Return the words of the first of these parts, with what goes without it."""
    return f"{found[0].words}; {FIRST_GOES}" if lets_first_go(found) else found[0].words


def lets_first_go(found: Sequence[Stop]) -> bool:
    """Say whether of all parts the scheduler alone is silent, so that what is due at its call still goes."""
    return [stop.part for stop in found] == [Part.SCHEDULER]


def _scheduler(deps: Deps) -> Stop | None:
    tick = deps.process_status.seen().get(SCHEDULER)
    if not _is_silent(deps, SCHEDULER, tick):
        return None
    words = f"the scheduler has been silent since {said_at(deps, tick)}" if tick else _unheard(SCHEDULER)
    return Stop(Part.SCHEDULER, words)


def _workers(deps: Deps) -> Stop | None:
    signs = [at for name, at in deps.process_status.seen().items() if name.startswith(f"{WORKER}:")]
    last = max(signs, default=None)
    if not _is_silent(deps, WORKER, last):
        return None
    return Stop(Part.WORKERS, f"{NO_WORKER} since {said_at(deps, last)}" if last else _unheard(WORKER))


def _is_silent(deps: Deps, name: str, last: datetime | None) -> bool:
    # After a flush of Redis nothing is known until the next heartbeat.
    return not deps.queues.alive(name) if last is None else deps.now() - last > deps.settings.silent_after


def _unheard(name: str) -> str:
    return f"no {name} has been heard of lately"
