"""Readers: what they write to us, told by `email.received` and given out by the API, and what they open and click."""

import uuid
from dataclasses import replace
from secrets import token_hex

from flask import Response, jsonify

from sandbox.resend.api import blueprint
from sandbox.resend.checks import ResendProblem
from sandbox.resend.outcomes import resend_time
from sandbox.state import Email, Event, Json, Sandbox, Written, current_sandbox

RECEIVED = "email.received"


def write_to_us(sandbox: Sandbox, said: Json) -> tuple[Written, Email]:
    """Store an incoming email; return it, and its webhook deliveries.

    With `answers`, the id of an email of ours, it is a reply: it carries that email's Message-ID.
    """
    answered = sandbox.emails.get(str(said.get("answers")))
    headers = {"In-Reply-To": answered.message_id, "References": answered.message_id} if answered else {}
    written = Written(
        id=str(uuid.uuid4()),
        sender=str(said.get("from") or (answered.to[0] if answered else "stranger@elsewhere.example")),
        to=str(said.get("to") or "hello@in.example"),
        subject=str(said.get("subject") or (f"Re: {answered.payload['subject']}" if answered else "Hello")),
        text=str(said.get("text") or "Yes, please call me."),
        headers={**headers, **(said.get("headers") or {})},
        received_at=sandbox.now(),
    )
    sandbox.written[written.id] = written
    return written, _news(written)


def _news(written: Written) -> Email:
    event = Event(RECEIVED, written.received_at, {"attachments": [], "cc": [], "bcc": []}, "msg_" + token_hex(14))
    payload = {"from": written.sender, "subject": written.subject}
    return Email(written.id, payload, [written.to], None, written.received_at, [event])


@blueprint.get("/emails/receiving/<email_id>")
def show_written(email_id: str) -> Response:
    """Return one received email with its text and headers."""
    sandbox = current_sandbox()
    with sandbox.lock:
        written = sandbox.written.get(email_id)
    if written is None:
        raise ResendProblem(404, "not_found", "Email not found")
    return jsonify(
        object="email",
        id=written.id,
        to=[written.to],
        subject=written.subject,
        message_id=written.message_id,
        html=None,
        text=written.text,
        headers={"Message-ID": written.message_id, **written.headers},
        created_at=resend_time(written.received_at),
        cc=[],
        bcc=[],
        reply_to=[],
        attachments=[],
        **{"from": written.sender},
    )


def look_at(sandbox: Sandbox, said: Json) -> Email | None:
    """Return what tells that a reader opened an email, or clicked a `link` in it; None where there is no such email."""
    email = sandbox.emails.get(str(said.get("email")))
    if email is None:
        return None
    now, link = sandbox.now(), said.get("link")
    agent = said.get("agent", "Mozilla/5.0 (Windows NT 10.0) Firefox/145.0")
    click = {"ipAddress": "203.0.113.7", "link": link, "timestamp": now.isoformat(), "userAgent": agent}
    detail: Json = {"click": click} if link else {}
    event = Event("email.clicked" if link else "email.opened", now, detail, "msg_" + token_hex(14))
    return replace(email, received_at=now, events=[event])
