"""What all hooks of our own callers share: authentication, payload, and conversion to and from a flow."""

from collections.abc import Mapping
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.own_variables import fits
from funnel_app.current import current_deps
from funnel_app.flows.addresses import normalised
from funnel_app.flows.intake.enrol import enrol
from funnel_app.rules.calls.call import Call, fitted
from funnel_app.rules.people.typed_text import clean
from funnel_app.web.auth import require_caller, require_json
from funnel_app.web.bounded_request import HookBlueprint
from funnel_app.web.hooks.decoration import LEFT_OUT
from funnel_app.web.hooks.hook_schema import contact_facts
from funnel_app.web.replays import first_received_at

LONGEST_KEY, LONGEST_OWN = 255, 255


def hook_blueprint(name: str, description: str) -> HookBlueprint:
    """Return the blueprint of one hook, which requires one of our own callers and a JSON object."""
    blueprint = HookBlueprint(name, __name__, url_prefix="/webhook", description=description)
    blueprint.before_request(require_caller)
    blueprint.before_request(require_json)
    return blueprint


def call_of(
    campaign: str, hook: str, event: Event, payload: Mapping[str, Any], facts: tuple[str, ...] = (), **more: Any
) -> Call:
    """Return a validated payload as a Call.

    `facts` are the contact's fields; `raw` is the payload as received, if it is not the body.
    """
    given_raw = more.pop("raw", None)
    raw = request.get_json() if given_raw is None else given_raw
    more["variables"] = {**own_of_campaign(campaign, hook, raw), **more.get("variables", {})}
    common: dict[str, Any] = {
        "email": payload["email"],
        "email_norm": normalised(payload["email"]),
        "contact": contact_facts(payload, facts),
        "left_out": payload.get(LEFT_OUT, {}),
        "payload": raw,
        "idempotency_key": _idempotency_key(),
        "received_at": first_received_at(),
    }
    return Call(campaign=campaign, hook=hook, event=event, **{**common, **more})


def own_of_campaign(campaign: str, hook: str, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload's values for variables that the campaign's file takes from this hook.

    Invalid values are dropped, so that the default applies: they never refuse a call.
    """
    found = current_deps().registry.campaigns.get(campaign)
    rows = found.hooks[hook].variables if found and hook in found.hooks else {}
    said = {name: _own(row.type, raw.get(name)) for name, row in rows.items()}
    return {name: value for name, value in said.items() if value is not None}


def _own(type_: str, value: object) -> str | float | None:
    text = clean(str(value) if type_ == "number" and isinstance(value, int | float) else value, LONGEST_OWN)
    if text is None or not fits(type_, text):
        return None
    return float(text) if type_ == "number" else text


def answer(*calls: Call) -> ResponseReturnValue:
    """Process the calls and return the response; UnknownCampaign if no file has this hook."""
    deps = current_deps()
    deps.registry.hook(calls[-1].campaign, str(request.blueprint))
    receipt = enrol(deps, *calls)
    return receipt.as_json(), receipt.http_status


def given(payload: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the non-empty fields of a payload as plain data for variables."""
    found = {name: payload.get(name) for name in names}
    return {name: plain(value) for name, value in found.items() if value not in (None, "", [])}


def plain(value: Any) -> Any:
    """Return a value as JSON; times in ISO 8601."""
    return value.isoformat() if hasattr(value, "isoformat") else value


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY:
        raise BadRequest(f"The Idempotency-Key is longer than {LONGEST_KEY} characters.")
    # Idempotency keys are per address: one key at two hooks is two calls.
    return fitted(f"{request.path}:{key}") if key else None
