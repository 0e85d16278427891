"""The sandbox's app: Resend, Notion, the business's website, CRM and chat, the control API and the inbox."""

import re

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from sandbox import chat, control, crm, inbox, website
from sandbox.notion import http, pages, tables, workspace
from sandbox.resend import api, receiving, sending
from sandbox.resend.checks import ResendProblem
from sandbox.resend.webhooks import Courier
from sandbox.signing import signing_key
from sandbox.state import Config, Sandbox, current_sandbox

BLUEPRINTS = (
    control.blueprint,
    workspace.blueprint,
    inbox.blueprint,
    crm.blueprint,
    chat.blueprint,
    http.blueprint,
    api.blueprint,
    website.blueprint,
)
# Views of these hang on the blueprints above, by being imported.
VIEWS = (pages, tables, receiving, sending)


def create_sandbox(config: Config | None = None) -> Flask:
    """Return the app with its own state; raises ValueError for an invalid webhook secret."""
    config = config or Config()
    signing_key(config.webhook_secret)
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    sandbox = Sandbox(config)
    app.extensions["sandbox"] = sandbox
    app.extensions["courier"] = Courier(sandbox)
    app.before_request(count_call)
    app.register_error_handler(HTTPException, explain)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


def count_call() -> None:
    """Count the call by method and path, without ids."""
    if request.url_rule is None or request.blueprint in ("chat", "control", "crm", "desk", "inbox", "website"):
        return
    path = re.sub(r"<\w+>", "{id}", request.url_rule.rule)
    sandbox = current_sandbox()
    with sandbox.lock:
        sandbox.calls[f"{request.method} {path}"] += 1


def explain(error: HTTPException) -> HTTPException | Response | tuple[Response, int]:
    """Answer an unknown path or method as the called service would."""
    status = error.code or 500
    if request.path.startswith("/resend/"):
        name = "method_not_allowed" if status == 405 else "not_found"
        return api.refuse(ResendProblem(status, name, error.description or name))
    if request.path.startswith("/notion/"):
        return http.problem_answer(400, "invalid_request_url", "Invalid request URL.")
    return error
