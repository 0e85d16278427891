"""The control API: settings, reset, received emails, and calls per endpoint."""

from typing import cast

from flask import Blueprint, Response, current_app, jsonify, request

from sandbox.notion.json import database_json
from sandbox.notion.state import TEMPLATES_DATABASE_ID, new_id
from sandbox.resend.checks import recipients
from sandbox.resend.receiving import look_at, write_to_us
from sandbox.resend.webhooks import Courier
from sandbox.settings import BadSetting
from sandbox.state import Email, Json, Sandbox, current_sandbox

blueprint = Blueprint("control", __name__, url_prefix="/control")


@blueprint.get("")
def show_settings() -> Response:
    """Return every switch."""
    sandbox = current_sandbox()
    with sandbox.lock:
        return jsonify(sandbox.settings.as_json())


@blueprint.post("")
def change_settings() -> Response:
    """Merge these switches into the current ones and return all."""
    sandbox = current_sandbox()
    with sandbox.lock:
        sandbox.settings.merge(request.get_json(silent=True))
    courier().nudge()
    return show_settings()


@blueprint.errorhandler(BadSetting)
def refuse(error: BadSetting) -> tuple[Response, int]:
    """Name the wrong switch."""
    return jsonify(error=str(error)), 400


@blueprint.post("/reset")
def reset() -> Response:
    """Reset everything: switches, emails, keys, the notebook and pending events."""
    current_sandbox().forget()
    courier().nudge()
    return show_settings()


@blueprint.get("/emails")
def list_emails() -> Response:
    """Return all received emails, oldest first."""
    sandbox = current_sandbox()
    with sandbox.lock:
        return jsonify([received_json(sandbox, email) for email in sandbox.emails.values()])


def received_json(sandbox: Sandbox, email: Email) -> Json:
    """Return an email as JSON; tags are an object."""
    payload = email.payload
    return {
        "id": email.id,
        "to": email.to,
        "from": payload["from"],
        "reply_to": recipients(payload, "reply_to"),
        "subject": payload["subject"],
        "html": payload.get("html"),
        "text": payload.get("text"),
        "headers": payload.get("headers") or {},
        "tags": email.tags(),
        "idempotency_key": email.idempotency_key,
        "received_at": email.received_at.isoformat().replace("+00:00", "Z"),
        "last_event": email.last_event(sandbox.now()),
    }


@blueprint.post("/written")
def write_email() -> tuple[Response, int]:
    """Write an email to us: `from`, `text`, `subject`, `headers`, `answers`: the id of the email it replies to."""
    sandbox, said = current_sandbox(), request.get_json(silent=True)
    with sandbox.lock:
        written, news = write_to_us(sandbox, said if isinstance(said, dict) else {})
    courier().announce(news)
    return jsonify(id=written.id, message_id=written.message_id), 201


@blueprint.post("/looked")
def look_at_email() -> tuple[Response, int]:
    """Open the `email` with this id as a reader, or click a `link` in it."""
    sandbox, said = current_sandbox(), request.get_json(silent=True)
    with sandbox.lock:
        news = look_at(sandbox, said if isinstance(said, dict) else {})
    if news is None:
        return jsonify(error="There is no such email."), 404
    courier().announce(news)
    return jsonify(told=news.events[0].type), 201


@blueprint.get("/calls")
def count_calls() -> Response:
    """Return the number of calls per endpoint, including refused ones."""
    sandbox = current_sandbox()
    with sandbox.lock:
        return jsonify(dict(sandbox.calls))


@blueprint.post("/notion/workspace")
def create_workspace() -> Response:
    """Return the ids of the templates database, or with `{"fresh": true}` of a new one beside it."""
    sandbox = current_sandbox()
    fresh = bool((request.get_json(silent=True) or {}).get("fresh"))
    with sandbox.lock:
        notion = sandbox.notion
        database = notion.databases[TEMPLATES_DATABASE_ID]
        if fresh:
            database = notion.add_templates(new_id(), new_id(), sandbox.now())
        shown = database_json(notion, database)
    ids = {"page_id": shown["parent"]["page_id"], "database_id": database.id}
    return jsonify(ids | {"data_source_id": database.source_ids[0]})


def courier() -> Courier:
    """Return the courier of this app."""
    return cast(Courier, current_app.extensions["courier"])
