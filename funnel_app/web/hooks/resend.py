"""Resend's own events: sent, delivered, bounced and so on, each signed by Svix's scheme."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, Unauthorized

from funnel_app.bodies import sanitize
from funnel_app.campaigns.reasons import of_bounce, of_failure, of_suppression, with_words
from funnel_app.campaigns.states import SOFT_BOUNCE
from funnel_app.current import current_deps
from funnel_app.flows.sending.record_event import Report, record_event
from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.resend.mailer import verify_webhook
from funnel_app.web.auth import SIGNED_WITHIN_S

LONGEST_ID, LONGEST_EVENT_ID = 64, 128
STAMP = re.compile(r"\d{1,12}")
SIGNATURE = re.compile("v1,[A-Za-z0-9+/]{43}=")

blueprint = Blueprint("resend", __name__, url_prefix="/webhook")


@blueprint.before_request
def require_svix() -> None:
    """Let only Resend through: Svix's headers over the raw body, under RESEND_WEBHOOK_SECRET, 5 minutes old at most."""
    if not _may_be_signed():
        raise Unauthorized(
            "The Svix headers are missing, odd or over 5 minutes old; RESEND_WEBHOOK_SECRET was not tried."
        )
    secret = current_deps().settings.resend_webhook_secret
    try:
        g.event = verify_webhook(request.get_data(), dict(request.headers), secret)
    except Rejected as refused:
        raise Unauthorized(f"The Svix signature does not fit RESEND_WEBHOOK_SECRET: {refused}") from None


def _may_be_signed() -> bool:
    """Say whether the headers alone are those of an event: nobody else makes us wait for a body."""
    stamp, signatures = (request.headers.get(f"svix-{name}", "") for name in ("timestamp", "signature"))
    is_lately = STAMP.fullmatch(stamp) is not None and abs(time.time() - int(stamp)) <= SIGNED_WITHIN_S
    return is_lately and any(SIGNATURE.fullmatch(signature) for signature in signatures.split())


@blueprint.post("/resend")
def receive_event() -> ResponseReturnValue:
    """Record one event; repeating it is harmless, and kinds that say nothing of an email are only acknowledged."""
    event: dict[str, Any] = g.event
    if not str(event.get("type", "")).startswith("email."):
        return {"status": "ignored"}
    fresh = record_event(current_deps(), read_report(request.headers["svix-id"], event))
    return {"status": "recorded" if fresh else "duplicate"}


def read_report(event_id: str, event: Mapping[str, Any]) -> Report:
    """Read an event's body; BadRequest where it is not of the provider's form."""
    data = sanitize(event.get("data"))
    if not isinstance(data, dict):
        raise BadRequest("The event has no data.")
    return Report(
        provider_event_id=event_id[:LONGEST_EVENT_ID],
        kind=_kind(str(event["type"]), data)[:LONGEST_ID],
        at=_time(event.get("created_at")),
        resend_id=(_text(data.get("email_id")) or "")[:LONGEST_ID] or None,
        email_id=_email_id(data.get("tags")),
        detail=_detail(data),
    )


def _kind(kind: str, data: Mapping[str, Any]) -> str:
    passes = kind == "email.bounced" and _part(data, "bounce").get("type") == "Transient"
    return SOFT_BOUNCE if passes else kind


def _time(text: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(text))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return current_deps().now()


def _email_id(tags: object) -> UUID | None:
    try:
        return UUID(str(tags["email"])) if isinstance(tags, dict) and "email" in tags else None
    except ValueError:
        return None


def _detail(data: Mapping[str, Any]) -> str | None:
    for part, reason in REASONS.items():
        if told := _part(data, part):
            words = str(told.get("message") or "")
            return with_words(reason(told, " ".join([words, *_codes(told)])), words)
    return None


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = data.get(name)
    return part if isinstance(part, dict) else {}


def _codes(told: Mapping[str, Any]) -> list[str]:
    codes = told.get("diagnosticCode")
    return [str(code) for code in codes] if isinstance(codes, list) else []


REASONS: Mapping[str, Callable[[Mapping[str, Any], str], str]] = {
    "bounce": lambda told, words: of_bounce(str(told.get("subType") or ""), words),
    "suppressed": lambda told, words: of_suppression(str(told.get("reason") or "")),
    "failed": lambda told, words: of_failure(str(told.get("reason") or "")),
}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
