"""The application of a process, with all that it imports."""

from flask import Flask

from funnel_app.app import create_app
from funnel_app.config import Settings
from funnel_app.deps import build_deps
from funnel_app.ledger.database.engine import prepare
from jobs.process import deps


def make(own: Settings | None) -> Flask:
    """Return the application over the collaborators of this process, or over some that are made of these settings."""
    # Before a fork, and once more, since some models are imported only with this.
    prepare()
    return create_app(build_deps(own) if own else deps())
