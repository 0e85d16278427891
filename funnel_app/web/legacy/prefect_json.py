"""Prefect's JSON (https://docs.prefect.io/v3/api-ref/rest-api), as far as its client reads it."""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from funnel_app.campaigns.model import Campaign, Hook
from funnel_app.flows.receipt import iso
from funnel_app.flows.tracing.prefect_runs import Run

OUR_IDS = uuid5(NAMESPACE_URL, "funnel:old-website-calls")


def flow_id(hook: Hook) -> UUID:
    """Return the id of the flow for a hook's handler, the same on every machine."""
    return uuid5(OUR_IDS, hook.handler or hook.name)


def deployment_json(campaign: Campaign, hook: Hook) -> dict[str, Any]:
    """Return a hook as a deployment."""
    return {
        "id": str(hook.legacy_id),
        "name": hook.handler,
        "flow_id": str(flow_id(hook)),
        "description": campaign.title,
        "labels": {},
        "tags": [campaign.name],
        "parameters": {},
        "paused": False,
        "status": "READY",
    }


def run_json(run: Run, hook: Hook) -> dict[str, Any]:
    """Return a call as a flow run."""
    state = {"id": str(uuid5(run.id, run.state)), "type": run.state, "name": run.state.title(), "message": run.message}
    duration = (run.ended_at - run.started_at).total_seconds() if run.ended_at and run.started_at else 0.0
    return {
        "id": str(run.id),
        "name": f"{hook.handler}-{str(run.id)[-6:]}",
        "flow_id": str(flow_id(hook)),
        "deployment_id": str(hook.legacy_id),
        "created": iso(run.created_at),
        "parameters": dict(run.parameters),
        "tags": [run.campaign],
        "labels": {},
        "state_type": run.state,
        "state_name": state["name"],
        "state": {**state, "timestamp": iso(run.ended_at or run.created_at)},
        "start_time": iso(run.started_at) if run.started_at else None,
        "end_time": iso(run.ended_at) if run.ended_at else None,
        "total_run_time": max(duration, 0.0),
    }
