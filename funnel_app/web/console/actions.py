"""Actions: the audit log of the console and the command line."""

from flask import request
from flask.typing import ResponseReturnValue

from funnel_app.current import current_deps
from funnel_app.flows.console.actions import list_actions
from funnel_app.web.console.shared.frame import as_uuid, blueprint, page


@blueprint.get("/log")
def actions() -> ResponseReturnValue:
    """Show operators' actions, newest first."""
    who = request.args.get("operator", "").strip()[:60]
    found = list_actions(current_deps().reads, as_uuid(request.args.get("after")), who)
    return page("actions.html", found=found, who=who)
