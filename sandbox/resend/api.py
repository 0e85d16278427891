"""Resend over HTTP: authentication, rate limits, and the read endpoints."""

import secrets
import uuid
from base64 import b64encode

from flask import Blueprint, Response, g, jsonify, request

from sandbox.resend.checks import ResendProblem, invalid
from sandbox.resend.outcomes import resend_time
from sandbox.state import Email, Endpoint, Json, Sandbox, current_sandbox

blueprint = Blueprint("resend", __name__, url_prefix="/resend")


@blueprint.before_request
def admit() -> Response | None:
    """Admit a call with a User-Agent and a valid key, within the rate limit."""
    sandbox = current_sandbox()
    if not request.headers.get("User-Agent"):
        return Response("error code: 1010", 403, content_type="text/plain")
    with sandbox.lock:
        limit = sandbox.settings.resend.rate_per_second
        within, g.remaining = sandbox.windows["resend"].take(sandbox.now(), limit)
        check_key(sandbox)
    if not within:
        raise ResendProblem(429, "rate_limit_exceeded", f"Too many requests: {limit} per second are allowed.")
    if request.endpoint not in SENDING:
        sandbox.pause(sandbox.settings.resend.latency_s)
    return None


SENDING = {"resend.send_email", "resend.send_batch"}


def check_key(sandbox: Sandbox) -> None:
    """Raise ResendProblem unless the key is good, and good for this call."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or not key:
        raise ResendProblem(401, "missing_api_key", "Missing API key in the authorization header.")
    if not key.startswith("re_") or key in sandbox.settings.resend.wrong_keys:
        raise ResendProblem(403, "invalid_api_key", "API key is invalid.")
    if key.startswith("re_restricted") and request.endpoint not in SENDING:
        raise ResendProblem(401, "restricted_api_key", "This API key is restricted to only send emails.")


@blueprint.after_request
def show_rate(response: Response) -> Response:
    """Add the rate limit's headers to every answer."""
    limit = current_sandbox().settings.resend.rate_per_second
    if limit:
        response.headers["ratelimit-limit"] = str(limit)
        response.headers["ratelimit-remaining"] = str(g.get("remaining", 0))
        response.headers["ratelimit-reset"] = "1"
    if response.status_code == 429:
        response.headers.setdefault("retry-after", "1")
    return response


@blueprint.errorhandler(ResendProblem)
def refuse(problem: ResendProblem) -> tuple[Response, int]:
    """Answer a refusal in Resend's form."""
    return jsonify(problem.as_json()), problem.status


@blueprint.get("/emails/<email_id>")
def show_email(email_id: str) -> Response:
    """Return one email with its last event."""
    sandbox = current_sandbox()
    with sandbox.lock:
        email = sandbox.emails.get(email_id)
        if email is None:
            raise ResendProblem(404, "not_found", "Email not found")
        return jsonify(email_json(email, email.last_event(sandbox.now())))


def email_json(email: Email, last_event: str) -> Json:
    """Return an email as `GET /emails/{id}` shows it."""
    lists = {name: email.payload.get(name) or [] for name in ("cc", "bcc", "reply_to")}
    return {
        "object": "email",
        "id": email.id,
        "message_id": email.message_id,
        "to": email.to,
        "from": email.payload["from"],
        "created_at": resend_time(email.received_at),
        "subject": email.payload["subject"],
        "html": email.payload.get("html"),
        "text": email.payload.get("text"),
        **{name: value if isinstance(value, list) else [value] for name, value in lists.items()},
        "tags": email.payload.get("tags") or [],
        "last_event": last_event,
    }


@blueprint.get("/domains")
def list_domains() -> Response:
    """List the domains of the switches."""
    sandbox = current_sandbox()
    with sandbox.lock:
        found = dict(sandbox.settings.resend.domains)
    return jsonify(object="list", has_more=False, data=[domain_json(*item, sandbox) for item in found.items()])


def domain_json(name: str, status: str, sandbox: Sandbox) -> Json:
    """Return one domain as Resend lists it."""
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "name": name,
        "status": status,
        "created_at": resend_time(sandbox.now()),
        "region": "us-east-1",
        "open_tracking": False,
        "click_tracking": False,
        "capabilities": {"sending": "enabled", "receiving": "enabled"},
    }


@blueprint.get("/usage")
def show_usage() -> Response:
    """Return the used quotas; every accepted email counts."""
    sandbox = current_sandbox()
    with sandbox.lock:
        switches, used = sandbox.settings.resend, len(sandbox.emails)
    limits = {"daily": switches.daily_limit or None, "monthly": switches.monthly_limit or None}
    emails = {name: {"used": used, "limit": limit, "sent": used, "received": 0} for name, limit in limits.items()}
    rate = {"limit": switches.rate_per_second, "duration": "1000ms"}
    return jsonify(object="usage", emails=emails, rate_limit=rate)


@blueprint.get("/webhooks")
def list_webhooks() -> Response:
    """List the webhook endpoints."""
    sandbox = current_sandbox()
    with sandbox.lock:
        found = [endpoint_json(endpoint) for endpoint in sandbox.all_endpoints()]
    return jsonify(object="list", has_more=False, data=found)


@blueprint.get("/webhooks/<webhook_id>")
def show_webhook(webhook_id: str) -> Response:
    """Return one endpoint with its signing secret."""
    sandbox = current_sandbox()
    with sandbox.lock:
        found = [endpoint for endpoint in sandbox.all_endpoints() if endpoint.id == webhook_id]
    if not found:
        raise ResendProblem(404, "not_found", "Webhook not found")
    return jsonify(object="webhook", signing_secret=found[0].secret, **endpoint_json(found[0]))


@blueprint.post("/webhooks")
def create_webhook() -> tuple[Response, int]:
    """Add an endpoint with a new signing secret."""
    sandbox = current_sandbox()
    body = request.get_json(silent=True)
    wanted = body.get("events") if isinstance(body, dict) else None
    url = body.get("endpoint") if isinstance(body, dict) else None
    if not isinstance(url, str) or not url.startswith(("https://", "http://")) or not isinstance(wanted, list):
        raise invalid("A webhook needs an `endpoint` and a list of `events`.")
    secret = "whsec_" + b64encode(secrets.token_bytes(24)).decode()
    endpoint = Endpoint(str(uuid.uuid4()), url, secret, wanted, sandbox.now())
    with sandbox.lock:
        sandbox.endpoints.append(endpoint)
    return jsonify(object="webhook", id=endpoint.id, signing_secret=secret), 201


def endpoint_json(endpoint: Endpoint) -> Json:
    """Return an endpoint as Resend lists it; null events mean all."""
    return {
        "id": endpoint.id,
        "endpoint": endpoint.url,
        "events": endpoint.events,
        "status": "enabled",
        "created_at": resend_time(endpoint.created_at),
    }
