"""The CRM: a receiver of lead events. It verifies each event's signature."""

from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request
from standardwebhooks import Webhook, WebhookVerificationError

from sandbox.state import current_sandbox

blueprint = Blueprint("crm", __name__, url_prefix="/crm")

SECRET = "whsec_dGhlIHNhbmRib3gncyBDUk0sIG5vIG90aGVy"


@blueprint.post("/events")
def take() -> tuple[str, int]:
    """Accept and store a correctly signed event; answer 401 otherwise."""
    sandbox = current_sandbox()
    if status := sandbox.settings.crm.fail_status:
        return "", status
    try:
        event = Webhook(SECRET).verify(request.get_data(), dict(request.headers))
    except WebhookVerificationError as fault:
        return str(fault), 401
    with sandbox.lock:
        sandbox.told.append({"id": request.headers["webhook-id"], **event})
    return "", 204


@blueprint.get("/events")
def list_taken() -> Response:
    """Return all received events, oldest first, with repetitions."""
    return jsonify(_taken())


@blueprint.get("")
def show() -> str:
    """Show all events, newest first."""
    return render_template("crm.html", events=_taken()[::-1])


def _taken() -> list[dict[str, Any]]:
    sandbox = current_sandbox()
    with sandbox.lock:
        return list(sandbox.told)
