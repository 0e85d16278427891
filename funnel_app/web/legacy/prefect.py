"""Prefect's API for the old website, which only needs a new PREFECT_API_URL.

Responses have the form that the official Prefect 3 client reads (https://docs.prefect.io/v3/api-ref/rest-api).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import BadRequest, NotFound, Unauthorized, UnsupportedMediaType

from funnel_app.campaigns.model import Campaign, Hook
from funnel_app.current import current_deps
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.keep_refused import LIMIT, refuse
from funnel_app.flows.intake.meaning import KeyReused
from funnel_app.flows.tracing.prefect_runs import Run, find_run, find_run_by_key
from funnel_app.rules.calls.call import Call, fitted
from funnel_app.rules.calls.limits import TooManyEnrolments
from funnel_app.web.auth import is_one_of, require_bearer, require_json
from funnel_app.web.bounded_request import sent
from funnel_app.web.errors import by_field, problem
from funnel_app.web.hooks import booking, maybe, noshow, onboarding, signup
from funnel_app.web.legacy.prefect_json import deployment_json, flow_id, run_json
from funnel_app.web.misdirected import NOWHERE, payload_or_bytes

VERSION = "3.8.8"
API_VERSION = "0.8.4"
SOURCE = "prefect"


@dataclass(frozen=True)
class Entrance:
    """How one hook reads the old website's parameters."""

    schema: Schema
    call: Callable[..., Call]


def _signup(campaign: str, payload: dict[str, Any], **more: Any) -> Call:
    return signup.signup_call(campaign, payload, SOURCE, **more)


ENTRANCES: Mapping[str, Entrance] = {
    "signup": Entrance(signup.SignupSchema(), _signup),
    "noshow": Entrance(noshow.NoShowSchema(), noshow.noshow_call),
    "maybe": Entrance(maybe.MaybeSchema(), maybe.maybe_call),
    "onboarding": Entrance(onboarding.OnboardingSchema(), onboarding.onboarding_call),
    "booking": Entrance(booking.BookingSchema(), booking.booking_call),
}

blueprint = Blueprint("prefect", __name__)


@blueprint.before_request
def require_proof() -> None:
    """Require the key in the path, or HOOK_SECRET as a bearer token."""
    given = (request.view_args or {}).pop("legacy_key", None)
    if given is None:
        require_bearer()
        return
    keys = current_deps().settings.legacy_key
    if keys is None:
        raise NotFound("The old website's addresses are closed: LEGACY_KEY is not set.")
    if not is_one_of(given, [key.strip() for key in keys.split(",")]):
        raise Unauthorized("The key in the path is not LEGACY_KEY.")


@blueprint.post("/deployments/<deployment_id>/create_flow_run")
def create_flow_run(deployment_id: str) -> ResponseReturnValue:
    """Process a call like its hook would; the same idempotency_key returns the run it made."""
    campaign, hook, body = _called(deployment_id)
    parameters = body.get("parameters") or {}
    key = fitted(f"prefect:{deployment_id}:{body['idempotency_key']}") if body.get("idempotency_key") else None
    known = find_run_by_key(current_deps(), key) if key else None
    if known is not None:
        return _run_json(known), 200
    try:
        payload = ENTRANCES[hook.name].schema.load(parameters)
    except ValidationError as fault:
        return _refused(campaign.name, hook.name, parameters, fault)
    more = {"raw": parameters, "idempotency_key": key, "source": SOURCE}
    return _created(ENTRANCES[hook.name].call(campaign.name, payload, **more))


def _called(deployment_id: str) -> tuple[Campaign, Hook, dict[str, Any]]:
    """Return a call's hook and payload; one without a hook, or unreadable, is kept for a replay."""
    try:
        campaign, hook = _deployment(deployment_id)
    except NotFound:
        said = payload_or_bytes()
        words = f"There is no deployment {deployment_id[:64]}. Say which hook: address=/webhook/<campaign>/<hook>."
        _keep(*NOWHERE, said.get("parameters") or said, {"address": [words]})
        raise
    try:
        require_json()
    except (BadRequest, UnsupportedMediaType) as fault:
        _keep(campaign.name, hook.name, sent(request), {"body": [str(fault.description)]})
        raise
    return campaign, hook, request.get_json()


def _created(call: Call) -> ResponseReturnValue:
    try:
        receipt = enrol(current_deps(), call)
    except KeyReused:
        # Of two simultaneous calls with one key, Prefect answers the second with the first one's run.
        run = find_run_by_key(current_deps(), call.idempotency_key or "")
    except TooManyEnrolments as fault:
        _keep(call.campaign, call.hook, call.payload, {LIMIT: [str(fault)]})
        raise
    else:
        run = find_run(current_deps(), receipt.hook_id)
    return (_run_json(run), 201) if run else problem(404, "Flow run not found")


def _refused(campaign: str, hook: str, parameters: object, fault: ValidationError) -> ResponseReturnValue:
    errors = by_field(fault.messages if isinstance(fault.messages, dict) else {"parameters": fault.messages})
    _keep(campaign, hook, parameters, errors)
    reason = "; ".join(f"{field}: {' '.join(texts)}" for field, texts in errors.items())
    return problem(409, f"Error creating flow run: Validation failed. Failure reason: {reason}", errors=errors)


def _keep(campaign: str, hook: str, parameters: object, errors: Mapping[str, Any]) -> None:
    refuse(current_deps(), campaign=campaign, hook=hook, source=SOURCE, payload=parameters, errors=errors)


@blueprint.get("/flow_runs/<run_id>")
def read_flow_run(run_id: str) -> ResponseReturnValue:
    """Return a run, with the state of its enrolment."""
    run = find_run(current_deps(), _uuid(run_id))
    return _run_json(run) if run else problem(404, "Flow run not found")


@blueprint.get("/deployments/<deployment_id>")
def read_deployment(deployment_id: str) -> ResponseReturnValue:
    """Return a deployment by its legacy id."""
    return deployment_json(*_deployment(deployment_id))


@blueprint.get("/deployments/name/<flow>/<deployment>")
def read_deployment_by_name(flow: str, deployment: str) -> ResponseReturnValue:
    """Return a deployment by name, which is the handler's for flow and deployment alike."""
    for campaign, hook in _deployments():
        if flow == deployment == hook.handler:
            return deployment_json(campaign, hook)
    return problem(404, "Deployment not found")


@blueprint.get("/flows/<wanted_id>")
def read_flow(wanted_id: str) -> ResponseReturnValue:
    """Return a flow, which represents a handler."""
    wanted = _uuid(wanted_id)
    for _, hook in _deployments():
        if flow_id(hook) == wanted:
            return {"id": wanted_id, "name": hook.handler, "labels": {}, "tags": []}
    return problem(404, "Flow not found")


@blueprint.get("/csrf-token")
def csrf_token() -> ResponseReturnValue:
    """Say that there is no CSRF protection, like a server without it."""
    return problem(404, "CSRF protection is disabled.")


@blueprint.get("/health")
def health() -> ResponseReturnValue:
    """Say that the API is alive."""
    return "true", {"Content-Type": "application/json"}


@blueprint.get("/ready")
def ready() -> ResponseReturnValue:
    """Say that the API accepts calls."""
    return {"message": "OK"}


@blueprint.get("/admin/version")
def version() -> ResponseReturnValue:
    """Return the version of Prefect that is imitated."""
    return f'"{VERSION}"', {"Content-Type": "application/json"}


@blueprint.get("/version")
def api_version() -> ResponseReturnValue:
    """Return the version of Prefect's REST interface."""
    return f'"{API_VERSION}"', {"Content-Type": "application/json"}


def _deployments() -> list[tuple[Campaign, Hook]]:
    campaigns = current_deps().registry.campaigns.values()
    return [(campaign, hook) for campaign in campaigns for hook in campaign.hooks.values() if hook.legacy_id]


def _deployment(deployment_id: str) -> tuple[Campaign, Hook]:
    wanted = _uuid(deployment_id)
    for campaign, hook in _deployments():
        if hook.legacy_id == wanted:
            return campaign, hook
    raise NotFound("Deployment not found")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("Not Found") from None


def _run_json(run: Run) -> dict[str, Any]:
    return run_json(run, current_deps().registry.campaign(run.campaign).hooks[run.hook])
