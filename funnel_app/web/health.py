"""Health: whether the process is alive, and whether Funnel can work."""

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from funnel_app.current import current_deps
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.monitoring.status.ready import stops
from funnel_app.web.auth import has_metrics_token

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Say that the process is alive, without asking anything else: an outage elsewhere must not restart it."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Say whether ledger, Redis, scheduler and workers are there; 503 if not. The reasons need the token."""
    missing = stops(current_deps())
    answer: dict[str, Any] = {"status": "not ready" if missing else "ready"}
    if has_metrics_token():
        said = current_headline(current_deps(), missing).sentence
        answer |= {"reasons": [stop.words for stop in missing], "headline": said}
    return answer, 503 if missing else 200
