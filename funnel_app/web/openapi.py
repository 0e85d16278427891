"""The interface's description, derived from the schemas that validate."""

from flask import Flask
from flask.typing import ResponseReturnValue
from flask_smorest import Api
from werkzeug.exceptions import HTTPException

from funnel_app.web.errors import http_problem


class ProblemApi(Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest's API, answering errors as problem documents (RFC 9457) like the rest of the application."""

    def handle_http_exception(self, error: HTTPException) -> ResponseReturnValue:
        """Turn an HTTP error into a problem document."""
        return http_problem(error)


def make_api(app: Flask) -> Api:
    """Return the API that hooks register with."""
    app.config["API_TITLE"] = "Funnel"
    app.config["API_VERSION"] = "1"
    app.config["OPENAPI_VERSION"] = "3.1.0"
    return ProblemApi(app)
