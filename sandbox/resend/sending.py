"""Resend's two sending calls: scripted faults, idempotency, acceptance."""

import hashlib
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from flask import Response, current_app, jsonify, request

from sandbox.faults import cut_line, refusal
from sandbox.resend.api import blueprint
from sandbox.resend.checks import (
    ResendProblem,
    check_batch,
    check_email,
    check_idempotency_key,
    invalid,
    recipients,
)
from sandbox.resend.outcomes import planned_events
from sandbox.resend.webhooks import Courier
from sandbox.settings import Fault
from sandbox.state import Email, Json, Remembered, Sandbox, current_sandbox

REMEMBERED_FOR = timedelta(hours=24)
NAMES = {
    400: "validation_error",
    401: "missing_api_key",
    403: "invalid_api_key",
    404: "not_found",
    409: "concurrent_idempotent_requests",
    422: "validation_error",
    429: "rate_limit_exceeded",
    451: "security_error",
    500: "application_error",
    503: "service_unavailable",
}


@blueprint.post("/emails")
def send_email() -> Response:
    """Accept one email."""
    return hand_in(accept_one)


@blueprint.post("/emails/batch")
def send_batch() -> Response:
    """Accept up to 100 emails, all or none unless the call is permissive."""
    return hand_in(accept_batch)


def hand_in(accept: Callable[[Sandbox, Any], Json]) -> Response:
    """Answer a sending call with the next scripted fault, or normally."""
    sandbox = current_sandbox()
    fault = sandbox.next_fault(sandbox.settings.resend)
    if not fault.accepts:
        refused = refusal(sandbox, fault) or scripted_refusal(fault)
        if refused is not None:
            return refused
    answer = once(sandbox, lambda: work(sandbox, fault, accept))
    return cut_line() if fault.lost_answer else scripted_refusal(fault) or jsonify(answer)


def scripted_refusal(fault: Fault) -> Response | None:
    """Return the refusal that the script asks for, None where it asks for none."""
    if not (fault.status or fault.name):
        return None
    status = fault.status or 422
    name = fault.name or NAMES.get(status, "application_error")
    response = jsonify(ResendProblem(status, name, fault.message or "The sandbox was told to refuse this.").as_json())
    response.status_code = status
    if fault.retry_after is not None:
        response.headers["retry-after"] = str(fault.retry_after)
    return response


def work(sandbox: Sandbox, fault: Fault, accept: Callable[[Sandbox, Any], Json]) -> Json:
    """Accept the call's emails, and wait until the answer may be sent."""
    sandbox.pause(sandbox.settings.resend.latency_s)
    body = request.get_json(silent=True)
    if body is None:
        raise ResendProblem(400, "validation_error", "The body is not JSON.")
    answer = accept(sandbox, body)
    sandbox.pause(fault.hang_s)
    return answer


def once(sandbox: Sandbox, run: Callable[[], Json]) -> Json:
    """Run a call unless its key was seen in the last 24 h: then return the first answer; raises ResendProblem."""
    key = check_idempotency_key(request.headers.get("Idempotency-Key"))
    if key is None:
        return run()
    # The bytes count: a caller that cannot repeat them exactly cannot rely on its key.
    fingerprint = hashlib.sha256(request.path.encode() + b"\n" + request.get_data()).hexdigest()
    entry = Remembered(fingerprint, sandbox.now())
    earlier = begin(sandbox, key, entry)
    if earlier is not None:
        return earlier
    try:
        entry.answer = run()
    finally:
        if entry.answer is None:
            forget(sandbox, key)
    return entry.answer


def begin(sandbox: Sandbox, key: str, entry: Remembered) -> Json | None:
    """Claim a key; return its first answer where there is one, None where the caller now runs; raises ResendProblem."""
    with sandbox.lock:
        earlier = sandbox.remembered.get(key)
        if earlier is None or entry.at - earlier.at >= REMEMBERED_FOR:
            sandbox.remembered[key] = entry
            return None
        if earlier.fingerprint != entry.fingerprint:
            raise ResendProblem(409, "invalid_idempotent_request", "This idempotency key came with another payload.")
        if earlier.answer is None:
            raise ResendProblem(409, "concurrent_idempotent_requests", "The first call with this key is still running.")
        return earlier.answer


def forget(sandbox: Sandbox, key: str) -> None:
    """Free a key whose call was refused, so that a fixed call may use it."""
    with sandbox.lock:
        sandbox.remembered.pop(key, None)


def accept_one(sandbox: Sandbox, body: Any) -> Json:
    """Take one email; raises ResendProblem."""
    return {"id": take(sandbox, [check_email(body, sandbox.settings.resend.domains)])[0]}


def accept_batch(sandbox: Sandbox, body: Any) -> Json:
    """Take the good emails of a batch, or none where the call is strict and one is bad; raises ResendProblem."""
    mode = request.headers.get("x-batch-validation", "strict")
    if mode not in ("strict", "permissive"):
        raise invalid("The batch validation is strict or permissive.")
    good, errors = [], []
    for index, item in enumerate(check_batch(body)):
        try:
            good.append(check_email(item, sandbox.settings.resend.domains, in_batch=True))
        except ResendProblem as problem:
            if mode == "strict":
                raise
            errors.append({"index": index, "message": problem.message})
    data = [{"id": email_id} for email_id in take(sandbox, good)]
    return {"data": data, "errors": errors} if mode == "permissive" else {"data": data}


def take(sandbox: Sandbox, payloads: list[Json]) -> list[str]:
    """Keep the emails and announce their events; return their ids."""
    with sandbox.lock:
        emails = [new_email(sandbox, payload) for payload in payloads]
        sandbox.emails.update((email.id, email) for email in emails)
    courier = cast(Courier, current_app.extensions["courier"])
    for email in emails:
        courier.announce(email)
    return [email.id for email in emails]


def new_email(sandbox: Sandbox, payload: Json) -> Email:
    """Return an email that was just received, with the events that await it."""
    hooks, now, to = sandbox.settings.webhooks, sandbox.now(), recipients(payload)
    events = planned_events(to[0], now, 0.0 if hooks.before_answer else hooks.delay_s)
    return Email(str(uuid.uuid4()), payload, to, request.headers.get("Idempotency-Key"), now, events)
