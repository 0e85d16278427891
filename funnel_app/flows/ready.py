"""Ready: what keeps Funnel from doing its work now."""

from funnel_app.deps import Deps
from funnel_app.ledger.schema import at_head

SCHEDULER = "scheduler"
WORKER = "worker"


def faults(deps: Deps) -> list[str]:
    """Return what is missing, in plain words; nothing where all is there."""
    found = [] if at_head(deps.engine) else ["the ledger cannot be reached or is not at the newest migration"]
    if not deps.queues.ping():
        return [*found, "Redis cannot be reached"]
    absent = [name for name in (SCHEDULER, WORKER) if not deps.queues.alive(name)]
    return found + [f"no {name} has been heard of lately" for name in absent]
