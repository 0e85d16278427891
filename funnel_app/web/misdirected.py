"""Misdirected calls: a known caller's payload at an unknown address is kept, and can be replayed to the right one."""

from typing import Any

from flask import request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from funnel_app.bodies import kept_as
from funnel_app.config import Settings
from funnel_app.current import current_deps
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.web.auth import is_signed, is_signed_body, require_caller

# Stands in for campaign and hook until an operator names them.
NOWHERE = "unknown", "address"
# The bare address only redirects people; a POST there is misdirected.
TAKES_NO_CALL = frozenset({None, "front_door.open_console"})
CALENDLYS_AGE_S = 25 * 3600
PROOFS = frozenset({"Authorization", "X-Funnel-Signature", "Calendly-Webhook-Signature", "X-Cal-Signature-256"})


def keep_misdirected() -> str:
    """Keep a call that no route matches if its sender is known; return a message on it, empty otherwise.

    Raises Unauthorized for a wrong secret, so that guessing is limited here, too.
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
    """Return the sender by any authentication that we know; Unauthorized for everybody else."""
    headers = request.headers
    calendlys = headers.get("Calendly-Webhook-Signature", "")
    if is_signed(calendlys, settings.calendly_signing_keys, CALENDLYS_AGE_S):
        return "calendly"
    if is_signed_body(headers.get("X-Cal-Signature-256", ""), settings.calcom_signing_keys):
        return "calcom"
    require_caller()
    return "website"


def payload_or_bytes() -> dict[str, Any]:
    """Return a call's payload, or its bytes if unreadable."""
    try:
        payload = request.get_json()
    except (BadRequest, UnsupportedMediaType):
        payload = None
    return payload if isinstance(payload, dict) else dict(kept_as(request.get_data()))
