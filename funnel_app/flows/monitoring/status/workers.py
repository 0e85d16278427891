"""Workers: how many are at work, and how many there should be."""

from datetime import timedelta

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.status.ready import WORKER

MISSED_FOR = timedelta(hours=1)


def living_workers(deps: Deps) -> int:
    """Return how many workers were seen recently. Raises Unavailable if Redis is away."""
    return _workers_since(deps, deps.settings.silent_after)


def wanted_workers(deps: Deps) -> int:
    """Return how many workers there should be: ours, and other containers' that were seen within the hour.

    One that exited cleanly no longer counts. Raises Unavailable if Redis is away.
    """
    return max(deps.settings.workers, _workers_since(deps, MISSED_FOR))


def _workers_since(deps: Deps, span: timedelta) -> int:
    oldest = deps.now() - span
    return sum(name.startswith(f"{WORKER}:") and at >= oldest for name, at in deps.process_status.seen().items())
