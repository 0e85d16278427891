"""OpenAPI description, derived from the schemas that validate."""

from collections.abc import Callable
from threading import Lock
from typing import Any

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
    """flask-smorest's API with problem documents (RFC 9457) as errors, described once somebody asks for it.

    Describing is most of what making it takes, and no command and few web processes are ever asked.
    """

    # Each error status is documented; a default would cover any.
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.undescribed: list[Callable[[], None]] = []
        self._describing = Lock()
        super().__init__(*arguments, **options)

    def handle_http_exception(self, error: HTTPException) -> ResponseReturnValue:
        """Turn an HTTP error into a problem document."""
        return http_problem(error)

    def _openapi_json(self) -> ResponseReturnValue:
        with self._describing:
            while self.undescribed:
                self.undescribed[0]()
                del self.undescribed[0]
        answer: ResponseReturnValue = super()._openapi_json()
        return answer


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
