"""Today: the first page."""

from functools import partial
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.current import current_deps
from funnel_app.flows.console import operate
from funnel_app.flows.console.sequences import seasons_now
from funnel_app.flows.console.today import look_at_today
from funnel_app.flows.monitoring.alerts.invariants import INVARIANTS
from funnel_app.web.console.shared.access import operator
from funnel_app.web.console.shared.charts import both, columns
from funnel_app.web.console.shared.frame import blueprint, page


@blueprint.get("/")
def today() -> ResponseReturnValue:
    """Show what goes, what went, and what needs attention."""
    deps = current_deps()
    seen = look_at_today(deps)
    zone = ZoneInfo(deps.settings.timezone)
    labels = [f"{at.astimezone(zone):%H:%M}" for at, _ in seen.ahead.hours]
    series = [("planned", [count for _, count in seen.ahead.hours])]
    drawn = both(partial(columns, labels=labels, series=series))
    now, seasons = deps.now(), seasons_now(deps)
    return page("today.html", today=seen, drawn=drawn, now=now, invariants=INVARIANTS, seasons=seasons)


@blueprint.post("/look-again")
def look_again() -> ResponseReturnValue:
    """Look again at the held emails of a template, now."""
    deps, key = current_deps(), request.form.get("key", "")
    if key not in deps.registry.template_keys():
        raise NotFound(f"No campaign has a template {key}.")
    flash(f"Done: {operate.look_again(deps, key, operator() or '')}.")
    return redirect(url_for("console.today"), 303)
