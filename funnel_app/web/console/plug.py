"""Add the console to an application: its guard, pages, static files and rq-dashboard."""

from flask import Flask

from funnel_app.web.console import (
    actions,
    buttons,
    calendar,
    doctor,
    downloads,
    emails,
    figures,
    hooks,
    leads,
    lists,
    outgoing,
    pausing,
    replies,
    runbook,
    search,
    sequences,
    settling,
    simulate,
    templates,
    theme,
    today,
)
from funnel_app.web.console.queues.dashboard import add_rq_dashboard
from funnel_app.web.console.shared.access import guard_console
from funnel_app.web.console.shared.frame import blueprint, static_file

# Importing these modules registers their pages on the blueprint.
PAGES = (
    actions, buttons, calendar, doctor, downloads, emails, figures, hooks, leads, lists, outgoing, pausing, replies,
    runbook, search, sequences, settling, simulate, templates, theme, today,
)  # fmt: skip


def init_app(app: Flask) -> None:
    """Serve /console/, to logged-in operators only."""
    guard_console(app)
    # Flask autoescapes by a template's file ending, and a library may render any file.
    app.jinja_env.autoescape = True
    app.register_blueprint(blueprint)
    # rq-dashboard's pages link to an endpoint of this name.
    app.add_url_rule("/console/static/<filename>", "static", static_file)
    add_rq_dashboard(app)
