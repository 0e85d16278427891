"""Hops: how many proxies forwarded a request, so that the doctor finds a wrong TRUSTED_PROXIES."""

import time
from contextlib import suppress

from flask import current_app, request

from funnel_app.current import current_deps
from funnel_app.gateways.errors import Unavailable

NOTED = "funnel.hops_noted_at"
EVERY_S = 60.0


def note_hops() -> None:
    """Record them, at most once a minute; call it for authenticated callers only: others can forge the header."""
    noted_at = current_app.extensions.get(NOTED)
    if noted_at is not None and time.monotonic() - noted_at < EVERY_S:
        return
    current_app.extensions[NOTED] = time.monotonic()
    # ProxyFix leaves the header unchanged.
    forwarded = request.environ.get("HTTP_X_FORWARDED_FOR", "")
    with suppress(Unavailable):
        current_deps().process_status.note_hops(sum(1 for part in forwarded.split(",") if part.strip()))
