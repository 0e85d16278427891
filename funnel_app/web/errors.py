"""Errors: the one map from exceptions to HTTP responses, all problem documents (RFC 9457)."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from http import HTTPStatus
from math import ceil
from typing import Any
from uuid import UUID

import structlog
from flask import Flask, Response, g, jsonify, make_response, request
from flask.typing import ResponseReturnValue
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException, Unauthorized

from funnel_app.campaigns.registry import UnknownCampaign
from funnel_app.current import current_deps
from funnel_app.flows.intake.keep_refused import LIMIT, OURS, refuse
from funnel_app.flows.intake.meaning import KeyReused
from funnel_app.flows.monitoring.probes.unauthenticated_calls import note_unauthenticated
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.rules.calls.call import CALENDARS
from funnel_app.rules.calls.limits import TooManyEnrolments
from funnel_app.rules.people.caller import caller_key
from funnel_app.web.auth import is_authenticated
from funnel_app.web.bounded_request import BodyAwaited, sent
from funnel_app.web.hooks.calendars import acknowledge
from funnel_app.web.misdirected import keep_misdirected
from funnel_app.web.replays import is_replay

log = structlog.get_logger()

# No payload, but it may name somebody, so it is kept like an unusable one.
UNREADABLE = frozenset({400, 415})


def problem(status: int, detail: str, **more: Any) -> Response:
    """Return a problem document."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    answer = jsonify(body)
    answer.status_code = status
    answer.content_type = "application/problem+json"
    if status == 401:
        # A 401 names a scheme (RFC 9110, 11.6.1); browsers do not prompt for this one.
        answer.headers["WWW-Authenticate"] = 'Bearer realm="Funnel"'
    return answer


def http_problem(error: HTTPException) -> ResponseReturnValue:
    """Turn werkzeug's error into a problem document with its headers, such as Allow and Content-Range."""
    try:
        answer = _http_problem(error)
    except BodyAwaited as awaited:
        return Response(status=awaited.code)
    for name, value in error.get_headers():
        if name not in {*answer.headers.keys(), "Content-Length"}:
            answer.headers[name] = value
    return answer


def _http_problem(error: HTTPException) -> Response:
    """Return the problem document; for a payload that fails its schema it names every field."""
    status = error.code or 500
    if status == 401:
        _note_unauthenticated()
    if status == 401 and (wait := current_deps().throttle.hit("failed-proof", caller_key(request.remote_addr))):
        return _throttled(wait)
    if status == 500:
        _keep_of_ours()
        return problem(500, f"Something is wrong on our side; it is logged as request {g.get('request_id', '')}.")
    errors = _field_errors(error)
    if errors is None:
        detail = error.description or HTTPStatus(status).description
        if status == 404:
            return _misdirected(detail)
        # Calendars stop calling a server that refuses; our own callers are told to slow down.
        is_kept = status in UNREADABLE or (status == 413 and request.blueprint in CALENDARS)
        return _refused(status, detail, {"body": [detail]}) if is_kept else problem(status, detail)
    detail = "The payload is understood, but some of its fields cannot be used."
    return _refused(status, detail, errors, errors=errors)


def _misdirected(detail: str) -> Response:
    try:
        return problem(404, keep_misdirected() or detail)
    except Unauthorized as fault:
        return _http_problem(fault)


def _refused(status: int, detail: str, faults: Mapping[str, list[str]], **more: Any) -> Response:
    """Keep a known sender's call and respond; a calendar gets 200, since it stops calling a server that refuses."""
    kept = _keep_refused(faults)
    if kept is None or request.blueprint not in CALENDARS:
        return problem(status, detail, **more)
    reason = "; ".join(f"{field}: {' '.join(words)}" for field, words in faults.items())
    return make_response(acknowledge(f"Kept as refused, for a replay. {reason}", kept))


def register_errors(app: Flask) -> None:
    """Register the handlers of all exceptions."""
    app.register_error_handler(HTTPException, http_problem)
    app.register_error_handler(BodyAwaited, lambda error: Response(status=error.code))
    app.register_error_handler(UnknownCampaign, _nowhere)
    app.register_error_handler(ParseException, _body_broken)
    app.register_error_handler(KeyReused, lambda error: problem(409, str(error)))
    app.register_error_handler(TooManyEnrolments, _too_many)
    for away in LedgerUnavailable:
        app.register_error_handler(away, _ledger_away)


def _nowhere(error: Exception) -> ResponseReturnValue:
    # A website may call before the campaign's file is deployed: kept, so that its leads can be replayed.
    return _refused(404, str(error), {"address": [str(error)]})


def _body_broken(error: Exception) -> ResponseReturnValue:
    # gunicorn reads a chunked body on demand, and raises its own errors then.
    return problem(400, f"The body breaks the rules of HTTP: {error}")


def _note_unauthenticated() -> None:
    blueprint, campaign = request.blueprint or "", (request.view_args or {}).get("campaign")
    if blueprint.startswith("prefect") or blueprint == "resend":
        note_unauthenticated(current_deps().process_status, blueprint.partition("_")[0])
    elif campaign in current_deps().registry.campaigns:
        note_unauthenticated(current_deps().process_status, f"{campaign}/{blueprint}")


def _throttled(wait_s: float) -> Response:
    answer = problem(429, "Too many calls with a wrong proof came from this address.")
    answer.headers["Retry-After"] = str(ceil(wait_s))
    return answer


def _too_many(error: TooManyEnrolments) -> ResponseReturnValue:
    answer = _refused(429, str(error), {LIMIT: [str(error)]})
    answer.headers["Retry-After"] = str(int(error.retry_after.total_seconds()))
    return answer


def _ledger_away(error: Exception) -> ResponseReturnValue:
    log.error("ledger_unavailable", error=str(error))
    answer = problem(503, "The ledger cannot be reached; nothing was recorded. Send the call again in a minute.")
    answer.headers["Retry-After"] = "60"
    return answer


def _field_errors(error: HTTPException) -> dict[str, Any] | None:
    messages = getattr(getattr(error, "exc", None), "messages", None) or getattr(error, "data", {}).get("messages")
    if not isinstance(messages, dict):
        return None
    return by_field(messages.get("json", messages))


def by_field(messages: object) -> dict[str, list[str]]:
    """Return marshmallow's faults by field, a list of sentences each.

    A nested field is named by its path, as in `consent.ip` and `payload.attendees.0.email`.
    """
    named = list(_named(messages, ()))
    return {name: [words for other, words in named if other == name] for name, _ in named}


def _named(fault: object, way: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(fault, dict):
        for name, inner in fault.items():
            yield from _named(inner, way if name == "_schema" else (*way, str(name)))
    elif isinstance(fault, list):
        for inner in fault:
            yield from _named(inner, way)
    else:
        yield ".".join(way) or "body", str(fault)


def _keep_of_ours() -> None:
    """Keep a known caller's payload after an internal error, if the ledger can be reached."""
    with suppress(*LedgerUnavailable):
        _keep_refused({OURS: ["A fault of ours stopped it, and is logged. Replay it once that is fixed."]})


def _keep_refused(errors: Mapping[str, Any]) -> UUID | None:
    """Keep a known caller's payload; return its id, None for an unknown caller or one already kept."""
    campaign = (request.view_args or {}).get("campaign")
    if not campaign or not is_authenticated() or is_replay() or request.method != "POST":
        return None
    hook, _, view = (request.endpoint or "").partition(".")
    source = "legacy" if view.startswith("legacy") else hook if hook in CALENDARS else "website"
    payload = g.payload if "payload" in g else sent(request)
    return refuse(current_deps(), campaign=campaign, hook=hook, source=source, payload=payload, errors=errors)
