"""Plug the console into an application: its guard, its pages, its files and rq-dashboard."""

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
from funnel_app.web.console.access import guard_console
from funnel_app.web.console.frame import blueprint, static_file
from funnel_app.web.console.rq import add_rq_dashboard

# Each of these modules puts its pages onto the blueprint by being imported.
PAGES = (
    actions, buttons, calendar, doctor, downloads, emails, figures, hooks, leads, lists, outgoing, pausing, replies,
    runbook, search, sequences, settling, simulate, templates, theme, today,
)  # fmt: skip


def init_app(app: Flask) -> None:
    """Open /console/ to who logs in, and to nobody else."""
    guard_console(app)
    # Flask escapes by the ending of a template's name, and a library may print into a file of any.
    app.jinja_env.autoescape = True
    app.register_blueprint(blueprint)
    # rq-dashboard's pages ask for an endpoint of this name.
    app.add_url_rule("/console/static/<filename>", "static", static_file)
    add_rq_dashboard(app)
