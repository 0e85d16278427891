"""The collaborators of the current application."""

from typing import TYPE_CHECKING

from flask import Flask, current_app

if TYPE_CHECKING:  # commands say how they are called without importing all that they need
    from funnel_app.deps import Deps

EXTENSION = "funnel"


def keep_deps(app: Flask, deps: "Deps") -> None:
    """Attach the collaborators to an application."""
    app.extensions[EXTENSION] = deps


def current_deps() -> "Deps":
    """Return the collaborators of the current application."""
    deps: Deps = current_app.extensions[EXTENSION]
    return deps
