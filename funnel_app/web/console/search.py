"""Search: the results of the box on every page."""

from flask import request
from flask.typing import ResponseReturnValue

from funnel_app.current import current_deps
from funnel_app.flows.console.search import find
from funnel_app.web.console.shared.frame import blueprint, page

LONGEST = 200


@blueprint.get("/search")
def search() -> ResponseReturnValue:
    """Show the matching leads, emails, templates and calls."""
    words = request.args.get("words", "").strip()[:LONGEST]
    return page("search.html", words=words, found=find(current_deps(), words))
