"""Calendly and Cal.com as they call, in few words."""

import hashlib
import hmac
import json
import time
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.factories import CALCOM_KEY, CALENDLY_KEY

CALENDLY, CALCOM = "/webhook/christmas/calendly", "/webhook/christmas/calcom"
API = "https://api.calendly.com"


def invitee(event: str = "E1", at: str = "2026-11-26T20:00:00.000000Z", **more: Any) -> dict[str, Any]:
    """Return the inner part of Calendly's events."""
    return {
        "uri": f"{API}/scheduled_events/{event}/invitees/I-{event}",
        "event": f"{API}/scheduled_events/{event}",
        "email": "ana@resend.dev",
        "name": "Ana Roy",
        "first_name": None,
        "timezone": "America/Toronto",
        "rescheduled": False,
        "tracking": {"utm_source": "email", "utm_medium": None},
        "questions_and_answers": [{"question": "Goal?", "answer": "Growth", "position": 0}],
        "reschedule_url": "https://calendly.com/reschedulings/I1",
        "scheduled_event": {"uri": f"{API}/scheduled_events/{event}", "start_time": at},
        **more,
    }


def calendly_event(kind: str, created_at: str = "2026-11-24T11:00:00.000000Z", **of: Any) -> dict[str, Any]:
    """Return one event of Calendly."""
    return {"event": kind, "created_at": created_at, "payload": invitee(**of)}


def calendly(
    client: FlaskClient, body: Any, *, key: str = CALENDLY_KEY, at: float | None = None, path: str = CALENDLY
) -> TestResponse:
    """Call as Calendly does, signed at a time."""
    raw = json.dumps(body).encode()
    t = int(time.time() if at is None else at)
    digest = hmac.new(key.encode(), f"{t}.".encode() + raw, hashlib.sha256).hexdigest()
    headers = {"Calendly-Webhook-Signature": f"t={t},v1={digest}"}
    return client.post(path, data=raw, headers=headers, content_type="application/json")


def booking(uid: str = "bk_1", at: str = "2026-11-26T20:00:00Z", **more: Any) -> dict[str, Any]:
    """Return the inner part of Cal.com's events."""
    attendee = {"name": "Ana Roy", "firstName": "Ana", "email": "ana@resend.dev", "timeZone": "America/Toronto"}
    return {"uid": uid, "startTime": at, "attendees": [attendee], **more}


def calcom_event(trigger: str, payload: Any, created_at: str = "2026-11-24T11:00:00.000Z") -> dict[str, Any]:
    """Return one event of Cal.com."""
    return {"triggerEvent": trigger, "createdAt": created_at, "payload": payload}


def missed(uid: str = "bk_1", no_show: bool = True) -> dict[str, Any]:
    """Return Cal.com's word of who missed a call."""
    return {"bookingUid": uid, "bookingId": 1, "attendees": [{"email": "ana@resend.dev", "noShow": no_show}]}


def calcom(client: FlaskClient, body: Any, *, key: str = CALCOM_KEY, path: str = CALCOM) -> TestResponse:
    """Call as Cal.com does, signed."""
    raw = json.dumps(body).encode()
    return client.post(path, data=raw, headers=calcom_headers(key, raw), content_type="application/json")


def calcom_headers(key: str, raw: bytes) -> dict[str, str]:
    """Return Cal.com's proof of a body."""
    return {"X-Cal-Signature-256": hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()}
