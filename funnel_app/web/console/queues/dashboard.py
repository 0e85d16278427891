"""rq-dashboard behind the console's login, read-only, in a sandboxed document.

Retries are the ledger's decision, not a queue's. docs/decisions/ explains the sandbox.
"""

import secrets
from collections.abc import Callable
from typing import Any, cast
from zoneinfo import ZoneInfo

import rq_dashboard.web
from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from jinja2 import BaseLoader
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError
from werkzeug.exceptions import MethodNotAllowed, NotFound

from funnel_app.current import current_deps
from funnel_app.gateways.redis.clients import fail_fast_client
from funnel_app.gateways.redis.job_names import EMAILS, QUEUES, call_of
from funnel_app.gateways.redis.refusals import explain
from funnel_app.gateways.redis.rq_views import READERS
from funnel_app.web.console.queues.templates import PatchedTemplates
from funnel_app.web.console.queues.words import STANDS
from funnel_app.web.console.shared.access import operator
from funnel_app.web.console.shared.frame import PAGES, page

ROOT = "/console/rq"
# A sandbox without allow-same-origin has an opaque origin: no cookies, and no access to the console. The pages use
# underscore templates, which need eval.
POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'nonce-{nonce}' 'unsafe-eval'; style-src {here} "
    "'unsafe-inline'; img-src {here} data:; connect-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
CHANGES = frozenset({"delete_job_view", "requeue_job_view", "requeue_all", "empty_queue", "compact_queue"})
REGISTRIES = frozenset(STANDS)
# The data that each page used to fetch, now embedded.
DATA = {
    "rq_dashboard.queues_overview": "rq_dashboard.list_queues",
    "rq_dashboard.jobs_overview": "rq_dashboard.list_jobs",
    "rq_dashboard.job_view": "rq_dashboard.job_info",
    "rq_dashboard.workers_overview": "rq_dashboard.list_workers",
}
MOST_A_PAGE = 200
# Stale figures must not look current; a job's page is read for longer and states its time.
LOOKS_AGAIN_AFTER_S = 15


def add_rq_dashboard(app: Flask) -> None:
    """Show RQ's queues, jobs and workers at /console/rq/, read-only."""
    blueprint = rq_dashboard.web.blueprint
    for name, reader in READERS.items():
        setattr(rq_dashboard.web, name, reader)
    # Its own client has no timeout, and is created for each page.
    rq_dashboard.web.from_url = lambda url, **_: (url, fail_fast_client(url))
    if isinstance(blueprint.jinja_loader, BaseLoader) and not isinstance(blueprint.jinja_loader, PatchedTemplates):
        blueprint.jinja_loader = PatchedTemplates(blueprint.jinja_loader)
    app.config["RQ_DASHBOARD_REDIS_URL"] = current_redis(app)
    app.config["RQ_DASHBOARD_DISABLE_DELETE"] = True
    rq_dashboard.web.setup_rq_connection(app)
    # Per application, since the blueprint is shared by all applications of a process.
    app.before_request_funcs.setdefault(blueprint.name, []).extend((_only_look, _only_known))
    app.register_blueprint(blueprint, url_prefix=ROOT)
    app.context_processor(_in_its_pages)
    app.after_request(_box_in)
    app.register_error_handler(NoSuchJobError, _no_such_job)
    app.register_error_handler(RedisError, _redis_away)


def _in_its_pages() -> dict[str, Any]:
    said = {"rq_pages": PAGES, "rq_stands": STANDS, "rq_operator": operator, "rq_testing": _is_testing}
    return {"rq_nonce": _nonce, "rq_data": _data, "rq_looked_at": _looked_at, **said}


def _is_testing() -> bool:
    return current_deps().settings.testing_mode


def current_redis(app: Flask) -> str:
    """Return the Redis address of the application."""
    with app.app_context():
        return current_deps().settings.redis_url


def _only_look() -> None:
    name = (request.endpoint or "").removeprefix("rq_dashboard.")
    if name in CHANGES or request.method not in {"GET", "HEAD", "OPTIONS"}:
        raise MethodNotAllowed(
            description="Nothing can be changed here: the ledger decides what is sent and when. "
            "Use the buttons on a lead's page, or flask emails."
        )


def _only_known() -> None:
    if not all(_known(name, value) for name, value in _asked().items()):
        raise NotFound("Funnel has no such queue, job or page of them.")


def _asked() -> dict[str, str]:
    return {name: str(value) for name, value in (request.view_args or {}).items() if value is not None}


def _known(name: str, value: str) -> bool:
    if name in {"page", "per_page"}:
        return value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= (10**6, MOST_A_PAGE)[name == "per_page"]
    if name == "job_id":
        return call_of(value) is not None
    choices = {"queue_name": QUEUES, "registry_name": REGISTRIES, "order": ("asc", "dsc"), "instance_number": ("0",)}
    return name == "filename" or value in choices[name]


def _nonce() -> str:
    if "rq_nonce" not in g:
        g.rq_nonce = secrets.token_urlsafe(16)
    return str(g.rq_nonce)


def _looked_at() -> str:
    deps = current_deps()
    return f"{deps.now().astimezone(ZoneInfo(deps.settings.timezone)):%H:%M:%S}"


def _data() -> Any:
    asked = request.view_args or {}
    asked = {**asked, "queue_name": asked["queue_name"] or EMAILS} if "queue_name" in asked else asked
    read = cast(Callable[..., tuple[Response, object]], current_app.view_functions[DATA[request.endpoint or ""]])
    return read(**asked)[0].get_json()


def _box_in(response: Response) -> Response:
    if _is_file():
        # An opaque origin fetches its style sheet and scripts without credentials.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    elif (request.endpoint or "").startswith("rq_dashboard."):
        here = request.host_url.rstrip("/")
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Content-Security-Policy"] = POLICY.format(nonce=_nonce(), here=here)
        if request.endpoint != "rq_dashboard.job_view":
            response.headers["Refresh"] = str(LOOKS_AGAIN_AFTER_S)
    return response


def _is_file() -> bool:
    return request.endpoint in {"static", "rq_dashboard.static"}


def _no_such_job(error: NoSuchJobError) -> ResponseReturnValue:
    _only_here(error)
    return page("fault.html", title="No such job", told="Redis keeps a job only for a while after it ended."), 404


def _redis_away(error: RedisError) -> ResponseReturnValue:
    _only_here(error)
    told = f"Redis {explain(error)}. No email is lost: the ledger has them all, and they go when Redis works again."
    return page("fault.html", title="Redis does not work", told=told), 503


def _only_here(error: Exception) -> None:
    if request.blueprint != "rq_dashboard":
        raise error
