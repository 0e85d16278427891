"""Frame of the console's pages: headers, navigation, time formats, and static files."""

from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from flask import Blueprint, Response, redirect, render_template, request, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException, NotFound, Unauthorized

from funnel_app.campaigns.incoming_calls import called, sender
from funnel_app.current import current_deps
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.web.console.shared.access import OPEN, OldForm, csrf_token, log_in, log_out, operator, safe_next
from funnel_app.web.console.shared.kept_forms import Fields, carried, written
from funnel_app.web.console.shared.said import said
from funnel_app.web.console.shared.words import FILTERS

log = structlog.get_logger()

CONSOLE = Path(__file__).parents[1]
blueprint = Blueprint("console", __name__, url_prefix="/console", template_folder=CONSOLE / "pages")

OWN = CONSOLE / "static"
HTMX = Path(str(files("js_lib_htmx"))) / "static" / "htmx"
RQ = Path(str(files("rq_dashboard"))) / "static"
SERVED = {
    **dict.fromkeys(("console.css", "console.js", "rq.css", "rq.js", "favicon.svg"), OWN),
    "favicon.ico": RQ,
    "htmx.min.js": HTMX,
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGES = (
    ("console.today", "Today"),
    ("console.leads", "Leads"),
    ("console.sequences", "Sequences"),
    ("console.calendar", "Calendar"),
    ("console.templates", "Templates"),
    ("console.figures", "Figures"),
    ("console.hooks", "Incoming"),
    ("rq_dashboard.queues_overview", "Jobs"),
)

# HTTP's own phrases mean nothing to an operator.
TITLES = {401: "You are not logged in", 403: "Nothing was changed", 404: "Not here", 429: "Too many tries"}
TITLES |= {500: "Something is wrong on our side", 503: "Not possible just now"}
OURS = "This page could not be made. No lead and no email is lost by that: they are kept apart from these pages."

for _name, _filter in FILTERS.items():
    blueprint.add_app_template_filter(_filter, _name)


def _frame() -> dict[str, Any]:
    return {
        "operator": operator(),
        "csrf_token": csrf_token,
        "pages": PAGES,
        "our_zone": current_deps().settings.timezone,
        "testing": current_deps().settings.testing_mode,
        "email_title": current_deps().registry.title_of_email,
        "sequence_title": current_deps().registry.title_of_sequence,
        "campaign_title": current_deps().registry.title_of_campaign,
        "call_title": called,
        "sender": sender,
        "said": said,
        "asked_by_htmx": "HX-Request" in request.headers,
    }


@blueprint.after_app_request
def _headers(response: Response) -> Response:
    if request.path.startswith("/console/"):
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Robots-Tag", "noindex")
    return response


@blueprint.errorhandler(HTTPException)
def _fault(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if again := _asked_again(error):
        return again, code
    told = error.description if code < 500 or error.description != type(error).description else OURS
    shown = page("fault.html", title=TITLES.get(code, error.name), told=told)
    return shown, code, error.get_headers()


def _asked_again(error: HTTPException) -> str | None:
    """Return a page with what was entered in a form of an earlier login; None if nothing was."""
    # The login form contains a password.
    asked = isinstance(error, Unauthorized | OldForm) and request.endpoint not in OPEN
    if not asked or not (kept := written()):
        return None
    if isinstance(error, Unauthorized):
        return page("login.html", next=request.path, kept=kept)
    return _ask_kept(request.path, kept)


def _ask_kept(goal: str, kept: Fields) -> str:
    """Return the page that shows what was entered before the login, and asks about it once more."""
    registry = current_deps().registry
    titles = {key: registry.title_of_email(key) for key in registry.template_keys()} | registry.sequence_titles()
    for campaign in registry.campaigns.values():
        titles |= {f"{campaign.name}/{each.name}": each.title for each in campaign.sequences.values()}
    return page("kept_form.html", goal=goal, kept=kept, titles=titles)


def _ledger_away(error: Exception) -> ResponseReturnValue:
    """Show that the ledger is away, without asking it even for the login."""
    log.error("ledger_unavailable", error=str(error))
    said = current_headline(current_deps()).sentence
    return render_template("away.html", sentence=said), 503, {"Retry-After": "60"}


for _away in LedgerUnavailable:
    blueprint.register_error_handler(_away, _ledger_away)


def page(template: str, **values: Any) -> str:
    """Return a page of the console."""
    return render_template(template, **_frame(), **values)


@blueprint.get("/login")
def login() -> ResponseReturnValue:
    """Show the login form."""
    if operator() is not None:
        return redirect(safe_next(request.args.get("next", "")), 303)
    return page("login.html", next=safe_next(request.args.get("next", "")), wrong=False)


@blueprint.post("/login")
def try_login() -> ResponseReturnValue:
    """Log in with the password."""
    goal = safe_next(request.form.get("next", ""))
    name = request.form.get("name", "")
    kept = carried()
    if not log_in(name, request.form.get("password", "")):
        return page("login.html", next=goal, name=name, wrong=True, kept=kept), 403
    return _ask_kept(goal, kept) if kept else redirect(goal, 303)


@blueprint.get("/logout")
def ask_log_out() -> ResponseReturnValue:
    """Ask before this browser is logged out, for a page that may send no form."""
    return page("log_out.html")


@blueprint.post("/logout")
def logout() -> ResponseReturnValue:
    """Log this browser out."""
    log_out()
    return redirect(url_for("console.login"), 303)


@blueprint.get("/<path:rest>")
def nowhere(rest: str) -> ResponseReturnValue:
    """Show that there is no such page."""
    raise NotFound(f"There is no page “{rest}” in the console.")


def static_file(filename: str) -> ResponseReturnValue:
    """Return a static file of the console; none is secret."""
    if filename not in SERVED:
        raise NotFound(f"There is no {filename}.")
    answer = send_from_directory(SERVED[filename], filename)
    answer.headers["Cache-Control"] = "public, max-age=3600"
    return answer


def as_uuid(text: str | None) -> UUID | None:
    """Return a text as a UUID; None if it is not one."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
