"""Leads: search, filters, and each lead's page."""

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.current import current_deps
from funnel_app.flows.console.leads import find_lead, find_leads
from funnel_app.ledger.base import EnrolmentState
from funnel_app.ledger.leads import TROUBLE, Wanted
from funnel_app.web.console.frame import as_uuid, blueprint, page

# What can be done to an email that stands where only a person goes on.
MEND = {
    "held": (("release", "Try now"),),
    "failed": (("retry", "Try again"),),
    "ambiguous": (("found_delivered", "It was delivered"), ("send_again", "Send it again")),
}
FILTERS = ("words", "sequence", "state", "trouble")


@blueprint.get("/leads")
def leads() -> ResponseReturnValue:
    """List the leads that are wanted, newest first."""
    deps = current_deps()
    given = {name: request.args.get(name, "").strip()[:200] for name in FILTERS}
    wanted = Wanted(**given, after=as_uuid(request.args.get("after")))
    titles = deps.registry.sequence_titles()
    return page(
        "leads.html",
        found=find_leads(deps, wanted),
        wanted=wanted,
        given={name: value for name, value in given.items() if value},
        titles=titles,
        sequences=list(titles),
        states=[state.value for state in EnrolmentState],
        troubles=[state.value for state in TROUBLE],
    )


@blueprint.get("/leads/<uuid:contact_id>")
def lead(contact_id: UUID) -> ResponseReturnValue:
    """Show one lead: what comes, what happened, and what can be done."""
    found = find_lead(current_deps(), contact_id)
    if found is None:
        raise NotFound("There is no such lead, or it was erased.")
    return page("lead.html", lead=found, mend=MEND, now=current_deps().now())
