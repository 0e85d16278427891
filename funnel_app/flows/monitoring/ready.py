"""Ready: what keeps Funnel from doing its work now."""

from funnel_app.deps import Deps
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger.revision import at_head

SCHEDULER = "scheduler"
WORKER = "worker"


def faults(deps: Deps) -> list[str]:
    """Return what is missing, in plain words; nothing where all is there."""
    found = [] if at_head(deps.engine) else ["the ledger cannot be reached or is not at the newest migration"]
    return found + silent_parts(deps)


def silent_parts(deps: Deps) -> list[str]:
    """Return which of Redis, the scheduler and the workers does not answer, in plain words. Never raises."""
    if not deps.queues.ping():
        return ["Redis cannot be reached"]
    try:
        absent = [name for name in (SCHEDULER, WORKER) if not deps.queues.alive(name)]
    except Unavailable:
        return ["Redis cannot be reached"]
    return [f"no {name} has been heard of lately" for name in absent]
