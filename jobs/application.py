"""The application of a process, with all that it imports."""

from flask import Flask

from funnel_app.app import create_app
from funnel_app.config import Settings
from funnel_app.deps import build_deps
from jobs.process import deps


def make(own: Settings | None) -> Flask:
    """Return the application over the collaborators of this process, or over some that are made of these settings."""
    return create_app(build_deps(own) if own else deps())
