"""Checks of Notion: the token, and a good text under every key."""

from funnel_app.deps import Deps
from funnel_app.flows.checks.check import Findings, all_faults, fault, ok
from funnel_app.gateways.errors import GatewayError, Rejected

SHARE = "set NOTION_TOKEN, and share the database with the integration (⋯ → Connections)"


def notion(deps: Deps) -> Findings:
    """The token is good, and the templates' database is shared with it."""
    try:
        who = deps.notebook.whoami()
    except GatewayError as error:
        fix = SHARE if isinstance(error, Rejected) else "wait: the last good texts serve for a day"
        yield from all_faults(("notion token", "notion templates"), f"Notion cannot be asked: {error.message}", fix)
        return
    yield ok("notion token", who)
    try:
        pages = deps.notebook.list_templates()
    except GatewayError as error:
        yield fault("notion templates", f"cannot be read: {error.message}", SHARE)
        return
    yield ok("notion templates", f"{len(pages)} pages in the templates database")
