"""An email's outcome, by the local part of its first recipient before any `+`."""

from datetime import datetime, timedelta
from email.utils import parseaddr
from secrets import token_hex
from typing import Any

from sandbox.state import Email, Event

Json = dict[str, Any]

BOUNCE: Json = {
    "bounce": {
        "type": "Permanent",
        "subType": "General",
        "message": "The sandbox has no such mailbox.",
        "diagnosticCode": ["smtp; 550 5.1.1 no such mailbox"],
    }
}
SUPPRESSED: Json = {
    "suppressed": {
        "type": "OnAccountSuppressionList",
        "message": "An earlier email to this address bounced.",
        "reason": "previous_bounce",
        "diagnosticCode": [],
    }
}
SENT: tuple[str, Json] = ("email.sent", {})
DELIVERED: tuple[str, Json] = ("email.delivered", {})
OUTCOMES: dict[str, list[tuple[str, Json]]] = {
    "bounced": [SENT, ("email.bounced", BOUNCE)],
    "softbounce": [SENT, ("email.delivery_delayed", {}), DELIVERED],
    "complained": [SENT, DELIVERED, ("email.complained", {})],
    "suppressed": [("email.suppressed", SUPPRESSED)],
    "silent": [],
}


def planned_events(recipient: str, accepted_at: datetime, delay_s: float) -> list[Event]:
    """Return the planned events of an email to this recipient, `delay_s` apart."""
    local_part = parseaddr(recipient)[1].partition("@")[0].partition("+")[0].lower()
    outcome = OUTCOMES.get(local_part, [SENT, DELIVERED])
    return [
        Event(kind, accepted_at + timedelta(seconds=delay_s * place), detail, "msg_" + token_hex(14))
        for place, (kind, detail) in enumerate(outcome, start=1)
    ]


def resend_time(moment: datetime) -> str:
    """Return a time as Resend writes it: a space in the middle and a short offset."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f+00")


def event_body(email: Email, event: Event) -> Json:
    """Return the webhook body of this event."""
    data = {
        "email_id": email.id,
        "message_id": email.message_id,
        "created_at": resend_time(email.received_at),
        "from": email.payload["from"],
        "to": email.to,
        "subject": email.payload["subject"],
        "tags": email.tags(),
    }
    moment = event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"type": event.type, "created_at": moment, "data": data | event.detail}
