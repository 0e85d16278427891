"""Stopped lists: imports that failed and that an operator has to resume."""

from datetime import timedelta

from funnel_app.deps import Deps
from funnel_app.ledger import imports

KIND = "list_stopped"
NEWS_FOR = timedelta(hours=1)


def stopped_lately(deps: Deps) -> str | None:
    """Return what to report of failed imports; None if none failed."""
    with deps.reads() as session:
        names = imports.stopped_since(session, deps.now() - NEWS_FOR)
    return f"{', '.join(names)} did not come in whole: it stopped by itself" if names else None
