"""OpenAPI description, derived from the schemas that validate."""

from flask import Flask
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from funnel_app.web.errors import http_problem

INFO = {
    "description": (
        "A caller is told 2xx only when everything that follows from its call is committed. "
        "Every call may be repeated: a repeat is answered as a duplicate and starts nothing."
    ),
}
PROOFS = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "HOOK_SECRET"},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Funnel-Signature",
        "description": "t=<unix time>,v1=<hex HMAC-SHA256 of `t.body` under HOOK_SECRET>, at most 5 minutes old",
    },
    "calendly": {"type": "apiKey", "in": "header", "name": "Calendly-Webhook-Signature"},
    "calcom": {"type": "apiKey", "in": "header", "name": "X-Cal-Signature-256"},
}


class ProblemApi(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest's API with problem documents (RFC 9457) as errors."""

    # Each error status is documented; a default would cover any.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def handle_http_exception(self, error: HTTPException) -> ResponseReturnValue:
        """Turn an HTTP error into a problem document."""
        return http_problem(error)


def make_api(app: Flask, public_url: str) -> Api:
    """Return the API for all hooks, described at `/openapi.json` with its public address."""
    app.config["API_TITLE"] = "Funnel"
    app.config["API_VERSION"] = "1"
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["OPENAPI_URL_PREFIX"] = "/"
    app.config["OPENAPI_JSON_PATH"] = "openapi.json"
    api = ProblemApi(app, spec_kwargs={"info": INFO, "servers": [{"url": public_url}]})
    for name, scheme in PROOFS.items():
        api.spec.components.security_scheme(name, scheme)
    return api
