"""Leads: search, filters, and each lead's page."""

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.segments import SEGMENTS
from funnel_app.campaigns.spoken import things
from funnel_app.current import current_deps
from funnel_app.flows.console import operate
from funnel_app.flows.console.lead_table import lead_table
from funnel_app.flows.console.leads import count_leads, find_lead, find_leads
from funnel_app.flows.console.pausing import paused_sequences
from funnel_app.ledger.models.base import EnrolmentState
from funnel_app.ledger.queries.leads import TROUBLE, Wanted
from funnel_app.web.console.shared.access import operator
from funnel_app.web.console.shared.csv_files import csv_answer
from funnel_app.web.console.shared.frame import as_uuid, blueprint, page

# The actions for emails that only a person can move on.
FIX = {
    "held": (("release", "Try now"),),
    "failed": (("retry", "Try again"),),
    "ambiguous": (("found_delivered", "It was delivered"), ("send_again", "Send it again")),
}
FILTERS = ("words", "sequence", "state", "trouble", "segment", "next")


@blueprint.get("/leads")
def leads() -> ResponseReturnValue:
    """List the matching leads, newest first."""
    deps, given = current_deps(), _given()
    wanted = Wanted(**given, after=as_uuid(request.args.get("after")))
    found = find_leads(deps, wanted)
    # Without a page before or after, these are all: searching a second time would only find them again.
    is_all = wanted.after is None and found.next is None
    sequences, emails = deps.registry.sequence_titles(), _email_titles(deps.registry)
    return page(
        "leads.html",
        found=found,
        paused=paused_sequences(deps),
        count=len(found.rows) if is_all else count_leads(deps.reads, wanted),
        wanted=given,
        given={name: value for name, value in given.items() if value},
        titles={**sequences, **emails},
        choices={
            "sequence": list(sequences),
            "state": [state.value for state in EnrolmentState],
            "trouble": [state.value for state in TROUBLE],
            "segment": SEGMENTS,
            "next": list(emails),
        },
        troubles=[state.value for state in TROUBLE],
    )


@blueprint.get("/leads.csv")
def leads_csv() -> ResponseReturnValue:
    """Return all matching leads as CSV; the download is recorded in the audit log."""
    deps, wanted = current_deps(), Wanted(**_given(), after=None)
    told = f"took a list of {things(count_leads(deps.reads, wanted), 'lead')} along as CSV"
    operate.note(deps, operator() or "", "export", None, told)
    return csv_answer("funnel-leads", lead_table(deps, wanted))


def _given() -> dict[str, str]:
    return {name: request.args.get(name, "").strip()[:200] for name in FILTERS}


def _email_titles(registry: Registry) -> dict[str, str]:
    """Return each email's title after its sequence's: `Five-day follow-up: Day 1: your results`."""
    steps = registry.steps()
    return {step.template: f"{sequence.title}: {registry.title_of_email(step.template)}" for _, sequence, step in steps}


@blueprint.get("/leads/<uuid:contact_id>")
def lead(contact_id: UUID) -> ResponseReturnValue:
    """Show one lead: what comes, what happened, and the possible actions."""
    deps = current_deps()
    found = find_lead(deps, contact_id)
    if found is None:
        raise NotFound("There is no such lead, or it was erased.")
    return page("lead.html", lead=found, fix=FIX, paused=paused_sequences(deps), now=deps.now())
