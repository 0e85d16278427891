"""The collaborators of the application that answers now."""

from typing import cast

from flask import Flask, current_app

from funnel_app.deps import Deps

EXTENSION = "funnel"


def keep_deps(app: Flask, deps: Deps) -> None:
    """Hand an application its collaborators."""
    app.extensions[EXTENSION] = deps


def current_deps() -> Deps:
    """Return the collaborators of the current application."""
    return cast(Deps, current_app.extensions[EXTENSION])
