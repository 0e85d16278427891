"""Misdirected calls: what a known caller sends to an address that is none is kept, and can be sent where it belongs."""

from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from funnel_app.bodies import kept_as
from funnel_app.config import Settings
from funnel_app.current import current_deps
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.web.auth import is_signed, is_signed_body, require_caller

# What a call has instead of a campaign and a hook, until somebody says where it belongs.
NOWHERE = "unknown", "address"
# The bare address only leads people on: what a machine posts there has lost its way as at any other.
TAKES_NO_CALL = frozenset({None, "front_door.open_console"})
CALENDLYS_AGE_S = 25 * 3600
PROOFS = frozenset({"Authorization", "X-Funnel-Signature", "Calendly-Webhook-Signature", "X-Cal-Signature-256"})


def keep_misdirected() -> str:
    """Keep a call that no route takes where its sender is known; return what to tell about it, empty for others.

    Raises Unauthorized for a wrong proof, so that nobody guesses here as often as they like.
    """
    proves = PROOFS & {*request.headers.keys()}
    if request.method != "POST" or request.endpoint not in TAKES_NO_CALL or not proves:
        return ""
    source = _sender(current_deps().settings)
    campaign, hook = NOWHERE
    words = f"There is no hook at {request.path[:200]}. Say which: address=/webhook/<campaign>/<hook>."
    errors = {"address": [words]}
    refuse(current_deps(), campaign=campaign, hook=hook, source=source, payload=payload_or_bytes(), errors=errors)
    return f"{words} The call is kept as refused, and can be replayed."


def _sender(settings: Settings) -> str:
    """Return who proves to have sent this, by any proof that we know; Unauthorized for everybody else."""
    headers = request.headers
    calendlys = headers.get("Calendly-Webhook-Signature", "")
    if is_signed(calendlys, settings.calendly_signing_keys, CALENDLYS_AGE_S):
        return "calendly"
    if is_signed_body(headers.get("X-Cal-Signature-256", ""), settings.calcom_signing_keys):
        return "calcom"
    require_caller()
    return "website"


def payload_or_bytes() -> dict[str, Any]:
    """Return what a call says, or its very bytes where that cannot be read."""
    try:
        payload = request.get_json()
    except (BadRequest, UnsupportedMediaType):
        payload = None
    return payload if isinstance(payload, dict) else dict(kept_as(request.get_data()))
