"""Resend's events: sent, delivered, bounced and so on, signed by Svix's scheme."""

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
from funnel_app.campaigns.states import BADLY_ENDED, CLICKED, SOFT_BOUNCE
from funnel_app.current import current_deps
from funnel_app.flows.replies.forward import refuse_forwarded
from funnel_app.flows.replies.keep import Arrival, keep_received
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.resend.mailer import verify_webhook
from funnel_app.letters.words import one_line
from funnel_app.rules.emails.clicks import LONGEST_AGENT, Click, plain_ip, plain_link
from funnel_app.rules.emails.received_emails import bare_id
from funnel_app.rules.emails.reports import Report
from funnel_app.web.auth import SIGNED_WITHIN_S

RECEIVED = "email.received"
LONGEST_ID, LONGEST_EVENT_ID = 64, 128
SIGNED = ("svix-id", "svix-timestamp", "svix-signature")
STAMP = re.compile(r"\d{1,12}")
SIGNATURE = re.compile("v1,[A-Za-z0-9+/]{43}=")

blueprint = Blueprint("resend", __name__, url_prefix="/webhook")


@blueprint.before_request
def require_svix() -> None:
    """Require Svix's signature over the raw body under RESEND_WEBHOOK_SECRET, at most 5 minutes old."""
    if not _may_be_signed():
        raise Unauthorized(
            "The Svix headers are missing, odd or over 5 minutes old; RESEND_WEBHOOK_SECRET was not tried."
        )
    secret = current_deps().settings.resend_webhook_secret
    try:
        signed = {name: request.headers.get(name, "") for name in SIGNED}
        g.event = verify_webhook(request.get_data(), signed, secret)
    except Rejected as refused:
        raise Unauthorized(f"The Svix signature does not fit RESEND_WEBHOOK_SECRET: {refused}") from None


def _may_be_signed() -> bool:
    """Say whether the headers look like an event's, before the body is read."""
    stamp, signatures = (request.headers.get(f"svix-{name}", "") for name in ("timestamp", "signature"))
    is_lately = STAMP.fullmatch(stamp) is not None and abs(time.time() - int(stamp)) <= SIGNED_WITHIN_S
    return is_lately and any(SIGNATURE.fullmatch(signature) for signature in signatures.split())


@blueprint.post("/resend")
def receive_event() -> ResponseReturnValue:
    """Record one event; repeats are harmless, and irrelevant kinds are only acknowledged."""
    event: dict[str, Any] = g.event
    if event.get("type") == RECEIVED:
        return {"status": "recorded" if keep_received(current_deps(), read_arrival(event)) else "duplicate"}
    if not str(event.get("type", "")).startswith("email."):
        return {"status": "ignored"}
    report = read_report(request.headers["svix-id"], event)
    if report.state in BADLY_ENDED and (forwarded := _uuid_tag(event, "reply")):
        why = report.detail or str(report.state)
        refuse_forwarded(current_deps().sessions, forwarded, why, report.provider_event_id)
    fresh = record_event(current_deps(), report)
    return {"status": "recorded" if fresh else "duplicate"}


def read_report(event_id: str, event: Mapping[str, Any]) -> Report:
    """Parse an event's body; BadRequest if it has another form."""
    data = sanitize(event.get("data"))
    if not isinstance(data, dict):
        raise BadRequest("The event has no data.")
    at = _time(event.get("created_at"))
    click = _click(data, at) if event["type"] == CLICKED else None
    return Report(
        provider_event_id=event_id[:LONGEST_EVENT_ID],
        kind=_kind(str(event["type"]), data)[:LONGEST_ID],
        at=at,
        resend_id=(_text(data.get("email_id")) or "")[:LONGEST_ID] or None,
        email_id=_uuid_tag(event, "email"),
        detail=click.link if click else _detail(data),
        click=click,
        message_id=bare_id(_text(data.get("message_id"))),
    )


def _click(data: Mapping[str, Any], at: datetime) -> Click | None:
    """Parse a click; None if it names no web link."""
    told = _part(data, "click")
    link = plain_link(_text(told.get("link")) or "")
    if link is None:
        return None
    agent = one_line((_text(told.get("userAgent")) or "")[:LONGEST_AGENT]) or None
    when = _time(told["timestamp"]) if _text(told.get("timestamp")) else at
    return Click(at=when, link=link, ip=plain_ip(_text(told.get("ipAddress")) or ""), agent=agent)


def read_arrival(event: Mapping[str, Any]) -> Arrival:
    """Parse an event about an incoming email; BadRequest if it has another form."""
    data = sanitize(event.get("data"))
    if not isinstance(data, dict) or not isinstance(data.get("email_id"), str) or not data["email_id"]:
        raise BadRequest("The event names no email that came.")
    attachments = data.get("attachments")
    return Arrival(
        resend_id=data["email_id"][:LONGEST_ID],
        sender=_text(data.get("from")) or "",
        subject=_text(data.get("subject")) or "",
        attachments=tuple(_file_name(each) for each in attachments) if isinstance(attachments, list) else (),
    )


def _file_name(attachment: object) -> str:
    return (_text(attachment.get("filename")) if isinstance(attachment, dict) else None) or "a file without a name"


def _kind(kind: str, data: Mapping[str, Any]) -> str:
    passes = kind == "email.bounced" and _part(data, "bounce").get("type") == "Transient"
    return SOFT_BOUNCE if passes else kind


def _time(text: object) -> datetime:
    try:
        at = datetime.fromisoformat(str(text))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return current_deps().now()


def _uuid_tag(event: Mapping[str, Any], name: str) -> UUID | None:
    tags = _part(_part(event, "data"), "tags")
    try:
        return UUID(str(tags[name])) if name in tags else None
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
