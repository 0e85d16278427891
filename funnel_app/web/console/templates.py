"""Templates: the state of every key, previews for a lead, and test emails."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.campaigns.spoken import full_stop
from funnel_app.current import current_deps
from funnel_app.flows.console.operate import note
from funnel_app.flows.console.sequences import season_of_template
from funnel_app.flows.console.template_pages import (
    Seen,
    find_version,
    list_templates,
    read_again,
    stand_of,
    versions_of,
)
from funnel_app.flows.templates.audit import Audit, audit_templates
from funnel_app.flows.templates.preview import CannotPreview, Preview, preview, preview_version
from funnel_app.flows.templates.samples import SAMPLES
from funnel_app.flows.templates.send_test import send_tests
from funnel_app.flows.templates.serve_again import UNTIL, CannotServe, serve_again
from funnel_app.flows.templates.subjects import read_subject
from funnel_app.gateways.errors import GatewayError
from funnel_app.web.console.emails import framed
from funnel_app.web.console.shared.access import operator
from funnel_app.web.console.shared.frame import blueprint, page

AS_WIDE_AS_HERE = "fit"
WIDTHS = ("desktop", "phone")
NOTION, NOTIONS_API = "https://www.notion.so", "api.notion.com"


@blueprint.get("/templates")
def templates() -> ResponseReturnValue:
    """List every template with its faults; with `audit` as Notion has them now."""
    audit, fault = _audit() if "audit" in request.args else (None, None)
    found = {row.key: row for row in audit.templates} if audit else {}
    listed = list_templates(current_deps())
    read_at = min((each.version.checked_at for each in listed if each.version), default=None)
    shown = {"audit": audit, "found": found, "fault": fault, "read_at": read_at, "now": current_deps().now()}
    return page("templates.html", templates=listed, notion=notion_page, **shown)


@blueprint.get("/templates/<key>")
def template(key: str) -> ResponseReturnValue:
    """Show one template as a lead would get it now, with its problems and versions."""
    return _template_page(_known(key))


@blueprint.get("/templates/<key>/preview")
def template_preview(key: str) -> ResponseReturnValue:
    """Return the letter's HTML for the frame."""
    shown, fault = _preview(_known(key))
    if shown is None or shown.letter is None:
        raise NotFound(fault or "No letter can be made of this template now.")
    return framed(shown.letter.html)


@blueprint.get("/templates/<key>/versions/<uuid:version_id>")
def template_version(key: str, version_id: UUID) -> ResponseReturnValue:
    """Show a version and its difference from the one in use, and offer to put it to use."""
    return _version_page(key, _seen(key, version_id))


@blueprint.get("/templates/<key>/versions/<uuid:version_id>/preview")
def version_preview(key: str, version_id: UUID) -> ResponseReturnValue:
    """Return the HTML of a version's letter, for the frame."""
    version = _seen(key, version_id).version
    lead, sample = request.args.get("lead", "").strip(), _sample(request.args.get("sample", ""))
    try:
        made = preview_version(current_deps(), version, lead=lead or None, sample_name=sample)
    except CannotPreview as fault:
        raise NotFound(full_stop(str(fault))) from None
    if made.letter is None:
        raise NotFound("No letter can be made of this version.")
    return framed(made.letter.html)


@blueprint.post("/templates/<key>/versions/<uuid:version_id>/serve")
def serve_version(key: str, version_id: UUID) -> ResponseReturnValue:
    """Put this version to use until Notion changes."""
    seen = _seen(key, version_id)
    try:
        told = serve_again(current_deps(), key, version_id, operator() or "")
    except CannotServe as fault:
        return _version_page(key, seen, full_stop(str(fault))), 409
    flash(full_stop(f"Done: {told}"))
    return redirect(url_for("console.template", key=key), 303)


@blueprint.post("/templates/<key>/read")
def read_template(key: str) -> ResponseReturnValue:
    """Read the template from Notion now."""
    deps = current_deps()
    try:
        read_again(deps, _known(key))
    except GatewayError as fault:
        return _template_page(key, f"Notion cannot be asked now: {fault}"), 503
    note(deps, operator() or "", "read_template", None, key)
    flash(f"Done: “{deps.registry.title_of_email(key)}” was read from Notion just now.")
    return redirect(url_for("console.template", key=key), 303)


@blueprint.post("/templates/<key>/test")
def send_test(key: str) -> ResponseReturnValue:
    """Send a test of the template to an address; it counts in no figure."""
    deps, form = current_deps(), request.form
    try:
        tested = next(
            iter(send_tests(deps, [_known(key)], form.get("to", "").strip(), _sample(form.get("sample", ""))))
        )
    except (CannotPreview, GatewayError) as fault:
        return _template_page(key, f"No test was sent: {fault}"), 422
    if not tested.sent:
        return _template_page(key, f"No test was sent: {tested.detail}"), 422
    note(deps, operator() or "", "send_test", None, key)
    flash(f"Done: a test was sent. {tested.detail}")
    return redirect(url_for("console.template", key=key), 303)


def notion_page(page_id: str) -> str:
    """Return the address of a page in Notion, or in what the settings have in its place."""
    api = current_deps().settings.notion_api_url
    return f"{NOTION if urlsplit(api).hostname == NOTIONS_API else api}/{page_id.replace('-', '')}"


def _audit() -> tuple[Audit | None, str | None]:
    try:
        return audit_templates(current_deps()), None
    except GatewayError as fault:
        return None, f"Notion cannot be asked now: {fault}"


def _template_page(key: str, fault: str | None = None) -> str:
    shown, missed = _preview(key)
    asked = {"lead": request.args.get("lead", "").strip(), "sample": _sample(request.args.get("sample", ""))}
    return page(
        "template.html",
        key=key,
        shown=shown,
        fault=fault or missed,
        season=season_of_template(current_deps(), key),
        versions=versions_of(current_deps().reads, key),
        standing=stand_of(current_deps(), key),
        widths=WIDTHS,
        width=_width(),
        samples=SAMPLES,
        notion=notion_page,
        subject_read=_subject_read(key),
        **asked,
    )


def _subject_read(key: str) -> Callable[[str], str]:
    """Return a function that renders a template's subject line."""
    return partial(read_subject, current_deps(), key)


def _version_page(key: str, seen: Seen, fault: str | None = None) -> str:
    subject = read_subject(current_deps(), key, seen.version.subject)
    shown = {"subject": subject, "fault": fault, "until": UNTIL, "widths": WIDTHS, "width": _width()}
    return page("template_version.html", key=key, seen=seen, **shown)


def _seen(key: str, version_id: UUID) -> Seen:
    found = find_version(current_deps(), _known(key), version_id)
    if found is None:
        raise NotFound(f"{key} has no such version.")
    return found


def _width() -> str:
    asked = request.args.get("width", "")
    return asked if asked in WIDTHS else AS_WIDE_AS_HERE


def _preview(key: str) -> tuple[Preview | None, str | None]:
    lead, sample = request.args.get("lead", "").strip(), _sample(request.args.get("sample", ""))
    try:
        return preview(current_deps(), key, lead=lead or None, sample_name=sample), None
    except CannotPreview as fault:
        return None, full_stop(str(fault))
    except GatewayError as fault:
        return None, f"Notion cannot be asked now: {fault}"


def _sample(name: str) -> str:
    return name if name in SAMPLES else SAMPLES[0]


def _known(key: str) -> str:
    if current_deps().registry.find_template(key) is None:
        raise NotFound(f"No campaign has a template {key}.")
    return key
