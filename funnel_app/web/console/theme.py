"""Theme: light or dark, by the device or as chosen for this browser for a year."""

from datetime import timedelta

from flask import current_app, redirect, request
from flask.typing import ResponseReturnValue

from funnel_app.web.console.shared.access import ROOT, safe_next
from funnel_app.web.console.shared.frame import blueprint

COOKIE = "funnel_theme"
THEMES = frozenset({"light", "dark"})
STAYS_FOR = timedelta(days=365)


@blueprint.app_template_global()
def theme() -> str:
    """Return this browser's choice; empty if the device decides."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in THEMES else ""


@blueprint.post("/theme")
def choose_theme() -> ResponseReturnValue:
    """Store the choice, and return to the page; any other value means the device's."""
    answer = redirect(safe_next(request.form.get("next", "")), 303)
    chosen = request.form.get("theme", "")
    if chosen in THEMES:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        kept = {"max_age": STAYS_FOR, "path": ROOT, "httponly": True, "samesite": "Lax", "secure": secure}
        answer.set_cookie(COOKIE, chosen, **kept)
    else:
        answer.delete_cookie(COOKIE, path=ROOT)
    return answer
