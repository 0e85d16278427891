"""Proofs: who calls. Every comparison takes the same time whatever is wrong."""

import hmac
from collections.abc import Sequence

from flask import request
from werkzeug.exceptions import BadRequest, Unauthorized, UnsupportedMediaType

from funnel_app.current import current_deps


def require_bearer() -> None:
    """Let only a caller through that knows HOOK_SECRET; 401 for all others."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not _is_one_of(token.strip(), current_deps().settings.hook_secrets):
        raise Unauthorized("Send HOOK_SECRET as a bearer token: Authorization: Bearer <secret>.")


def require_json() -> None:
    """Let only a JSON object through; 415 for another content type, 400 for what is not JSON."""
    if not request.is_json:
        raise UnsupportedMediaType("Send the payload as application/json.")
    if not isinstance(request.get_json(), dict):
        raise BadRequest("The payload must be a JSON object.")


def _is_one_of(given: str, secrets: Sequence[str]) -> bool:
    matches = [hmac.compare_digest(given.encode(), secret.encode()) for secret in secrets]
    return any(matches)
