"""Ready: what keeps Funnel from doing its work now."""

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.ledger_health import why_unusable
from funnel_app.gateways.errors import Unavailable

SCHEDULER = "scheduler"
WORKER = "worker"


def faults(deps: Deps) -> list[str]:
    """Return what is missing, in plain words; nothing where all is there."""
    return ledger_faults(deps) + silent_parts(deps)


def ledger_faults(deps: Deps) -> list[str]:
    """Return why the ledger cannot be worked with, in plain words; nothing where it can."""
    unusable = why_unusable(deps)
    return [unusable] if unusable else []


def silent_parts(deps: Deps) -> list[str]:
    """Return which of Redis, the scheduler and the workers does not answer, in plain words. Never raises."""
    if why := deps.queues.why_away():
        return [f"Redis {why}"]
    try:
        absent = [name for name in (SCHEDULER, WORKER) if not deps.queues.alive(name)]
    except Unavailable:
        return ["Redis cannot be reached"]
    return [f"no {name} has been heard of lately" for name in absent]
