"""Templates: the state of every key, and each as a lead would get it."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.current import current_deps
from funnel_app.flows.operate import note
from funnel_app.flows.template_pages import list_templates, preview, read_again, versions_of
from funnel_app.gateways.errors import GatewayError
from funnel_app.web.console.access import operator
from funnel_app.web.console.emails import framed
from funnel_app.web.console.frame import blueprint, page

NOTION = "https://www.notion.so/{}"


@blueprint.get("/templates")
def templates() -> ResponseReturnValue:
    """List every template of every campaign with what is wrong with it."""
    return page("templates.html", templates=list_templates(current_deps()), notion=notion_page)


@blueprint.get("/templates/<key>")
def template(key: str) -> ResponseReturnValue:
    """Show one template as a lead would get it now, with its problems and its versions."""
    return _template_page(_known(key))


@blueprint.get("/templates/<key>/preview")
def template_preview(key: str) -> ResponseReturnValue:
    """Return the letter's HTML for the frame."""
    shown = preview(current_deps(), _known(key), request.args.get("lead"))
    if shown.letter is None:
        raise NotFound(shown.fault or "")
    return framed(shown.letter.html)


@blueprint.post("/templates/<key>/read")
def read_template(key: str) -> ResponseReturnValue:
    """Ask Notion for the template now, and not at the next look."""
    deps = current_deps()
    try:
        read_again(deps, _known(key))
    except GatewayError as fault:
        return _template_page(key, f"Notion cannot be asked now: {fault}"), 503
    note(deps, operator() or "", "read_template", None, key)
    flash(f"Done: {key} was read from Notion just now.")
    return redirect(url_for("console.template", key=key), 303)


def notion_page(page_id: str) -> str:
    """Return where a page opens in Notion."""
    return NOTION.format(page_id.replace("-", ""))


def _template_page(key: str, fault: str | None = None) -> str:
    deps, lead = current_deps(), request.args.get("lead", "").strip()
    shown = preview(deps, key, lead or None)
    versions = versions_of(deps, key)
    return page("template.html", key=key, lead=lead, shown=shown, versions=versions, notion=notion_page, fault=fault)


def _known(key: str) -> str:
    if current_deps().registry.find_template(key) is None:
        raise NotFound(f"No campaign has a template {key}.")
    return key
