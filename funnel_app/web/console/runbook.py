"""Runbook: what each alert means and what to do; every alert in a chat links to its section here."""

from flask.typing import ResponseReturnValue

from funnel_app.flows.monitoring.alarms import ALARMS
from funnel_app.web.console.frame import blueprint, page


@blueprint.get("/runbook")
def runbook() -> ResponseReturnValue:
    """Show every kind of alert, its meaning and its fix."""
    return page("runbook.html", alarms=ALARMS)
