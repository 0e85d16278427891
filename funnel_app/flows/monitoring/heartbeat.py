"""Dead man's switch: a sign to somebody outside this machine, each minute, and only while all is well."""

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.backups import why_not_well
from funnel_app.flows.monitoring.incidents import note
from funnel_app.flows.monitoring.invariants import count_invariants
from funnel_app.flows.monitoring.ready import faults
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger import incidents

KIND = "heartbeat_failed"


def ping(deps: Deps) -> bool | None:
    """Call HEARTBEAT_URL where all invariants hold, all parts are there and backups are made; False where it was not.

    None where it does not answer, or knows no such switch. That is an incident: the switch is itself looked at.
    """
    url = deps.settings.heartbeat_url
    if url is None or faults(deps) or any(count_invariants(deps).values()) or why_not_well(deps):
        return False
    try:
        deps.alerts.ping(url)
    except GatewayError as error:
        note(deps, {(KIND, ""): f"HEARTBEAT_URL: {error}"}, [KIND])
        # Called again after a minute, and not soon: what refuses us must not be hammered.
        return None
    note(deps, {}, [KIND])
    return True


def why_unheard(deps: Deps) -> str | None:
    """Return why the switch did not take the last call; None where it did."""
    with deps.reads() as session:
        return next((incident.detail for incident in incidents.current(session, {KIND})), None)
