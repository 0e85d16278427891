"""Dead man's switch: a sign to somebody outside this machine, each minute, and only while all is well."""

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.invariants import count_invariants
from funnel_app.flows.monitoring.ready import faults


def ping(deps: Deps) -> bool:
    """Call HEARTBEAT_URL where all invariants hold and all parts are there; say whether it was called.

    Raises Unavailable or Rejected where that address does not answer.
    """
    url = deps.settings.heartbeat_url
    if url is None or faults(deps) or any(count_invariants(deps).values()):
        return False
    deps.alerts.ping(url)
    return True
