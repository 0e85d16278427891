"""Callers of the hooks, in few words."""

import json
import time
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sandbox.signing import signed_headers
from tests.factories import HOOK_SECRET, WEBHOOK_SECRET

SIGNUP = "/webhook/christmas/signup"
BEARER = {"Authorization": f"Bearer {HOOK_SECRET}"}


def post(client: FlaskClient, payload: Any, path: str = SIGNUP, **headers: str) -> TestResponse:
    """Call a hook with its proof."""
    return client.post(path, json=payload, headers={**BEARER, **headers})


def signup(client: FlaskClient, **payload: Any) -> TestResponse:
    """Sign Ana up, with more fields or others."""
    return post(client, {"email": "ana@resend.dev", "first_name": "Ana", **payload})


def event(
    client: FlaskClient,
    body: Any,
    *,
    event_id: str = "msg_1",
    secret: str = WEBHOOK_SECRET,
    ago: int = 0,
    **change: str,
) -> TestResponse:
    """Report an event as Resend does, signed."""
    raw = json.dumps(body).encode()
    headers = {**signed_headers(secret, event_id, int(time.time()) - ago, raw), **change}
    return client.post("/webhook/resend", data=raw, headers=headers, content_type="application/json")
