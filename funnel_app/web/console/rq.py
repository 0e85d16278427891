"""rq-dashboard behind the console's login, to look only: what runs again is the ledger's decision, not a queue's."""

import secrets

from flask import Flask, Response, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import ConnectionError as RedisAway
from rq.exceptions import NoSuchJobError
from rq_dashboard import blueprint
from rq_dashboard.web import setup_rq_connection
from werkzeug.exceptions import MethodNotAllowed

from funnel_app.current import current_deps
from funnel_app.web.console.frame import page

ROOT = "/console/rq"
# Its pages fill templates in the browser (underscore), which no script can do without eval.
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
CHANGES = frozenset({"delete_job_view", "requeue_job_view", "requeue_all", "empty_queue", "compact_queue"})


def add_rq_dashboard(app: Flask) -> None:
    """Show RQ's queues, jobs and workers at /console/rq/; nothing can be changed there."""
    app.config["RQ_DASHBOARD_REDIS_URL"] = current_redis(app)
    app.config["RQ_DASHBOARD_DISABLE_DELETE"] = True
    setup_rq_connection(app)
    app.before_request(_only_look)
    app.register_blueprint(blueprint, url_prefix=ROOT)
    app.after_request(_dress)
    app.register_error_handler(NoSuchJobError, _no_such_job)
    app.register_error_handler(RedisAway, _redis_away)


def current_redis(app: Flask) -> str:
    """Return the address of Redis that the application works with."""
    with app.app_context():
        return current_deps().settings.redis_url


def _only_look() -> None:
    name = (request.endpoint or "").removeprefix("rq_dashboard.")
    if request.blueprint == "rq_dashboard" and (name in CHANGES or request.method not in {"GET", "HEAD", "OPTIONS"}):
        raise MethodNotAllowed(
            description="Nothing can be changed here: the ledger decides what is sent and when. "
            "Use the buttons on a lead's page, or flask emails."
        )


def _dress(response: Response) -> Response:
    if request.blueprint != "rq_dashboard" or response.mimetype != "text/html" or response.is_streamed:
        return response
    nonce = secrets.token_urlsafe(16)
    sheet, back = url_for("static", filename="rq.css"), url_for("console.today")
    body = response.get_data(as_text=True)
    body = body.replace("<script", f'<script nonce="{nonce}"')
    body = body.replace("</head>", f'<link rel="stylesheet" href="{sheet}"></head>')
    body = body.replace(
        '<a class="navbar-brand">RQ-dashboard</a>', f'<a class="navbar-brand" href="{back}">← Funnel’s console</a>'
    )
    response.set_data(body)
    response.headers["Content-Security-Policy"] = POLICY.format(nonce=nonce)
    return response


def _no_such_job(error: NoSuchJobError) -> ResponseReturnValue:
    _only_here(error)
    return page("fault.html", title="No such job", told="Redis keeps a job only for a while after it ended."), 404


def _redis_away(error: RedisAway) -> ResponseReturnValue:
    _only_here(error)
    told = "No email is lost: the ledger has them all, and they go when Redis is back."
    return page("fault.html", title="Redis cannot be reached", told=told), 503


def _only_here(error: Exception) -> None:
    if request.blueprint != "rq_dashboard":
        raise error
