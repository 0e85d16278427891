"""Heartbeat: a call to a dead man's switch outside this machine, each minute, only while all is well."""

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.incidents import note
from funnel_app.flows.monitoring.alerts.invariants import count_invariants
from funnel_app.flows.monitoring.probes.backups import why_not_well
from funnel_app.flows.monitoring.status.ready import faults
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger import incidents

KIND = "heartbeat_failed"


def ping(deps: Deps) -> bool | None:
    """Call HEARTBEAT_URL if all invariants hold, all parts run and backups are made; False if not.

    None if it does not answer, or knows no such check. That is an incident: the switch itself is monitored.
    """
    url = deps.settings.heartbeat_url
    if url is None or faults(deps) or any(count_invariants(deps).values()) or why_not_well(deps):
        return False
    try:
        deps.alerts.ping(url)
    except GatewayError as error:
        note(deps, {(KIND, ""): f"HEARTBEAT_URL: {error}"}, [KIND])
        # Retried after a minute, so that a service that refuses us is not hammered.
        return None
    note(deps, {}, [KIND])
    return True


def why_unheard(reads: sessionmaker[Session]) -> str | None:
    """Return why the last call failed; None if it did not."""
    with reads() as session:
        return next((incident.detail for incident in incidents.current(session, {KIND})), None)
