"""Sequences: a diagram of each, from the campaign's file and the ledger, and who waits for each step."""

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.campaigns.registry import UnknownCampaign
from funnel_app.current import current_deps
from funnel_app.flows.console.sequences import draw_sequences, who_is_there
from funnel_app.web.console.shared.frame import as_uuid, blueprint, page


@blueprint.get("/sequences")
def sequences() -> ResponseReturnValue:
    """Show every sequence of every campaign."""
    return page("sequences.html", drawn=draw_sequences(current_deps()))


@blueprint.get("/sequences/<campaign>/<name>/<int:number>")
def step(campaign: str, name: str, number: int) -> ResponseReturnValue:
    """Show who waits for a step of a sequence."""
    deps = current_deps()
    try:
        found = who_is_there(deps, campaign, name, number, as_uuid(request.args.get("after")))
    except UnknownCampaign as words:
        raise NotFound(str(words)) from words
    return page("step.html", found=found, now=deps.now())
