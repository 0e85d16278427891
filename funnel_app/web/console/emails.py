"""Emails: exactly what was sent, its HTML only inside a sandboxed frame."""

from uuid import UUID

from flask import Response
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.current import current_deps
from funnel_app.flows.console.show_email import find_html, show_email
from funnel_app.web.console.shared.frame import blueprint, page

# No scripts, forms, cookies or navigation: a template cannot affect the console.
FRAMED = (
    "sandbox; default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; font-src https: data:; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)


@blueprint.get("/emails/<uuid:email_id>")
def email(email_id: UUID) -> ResponseReturnValue:
    """Show one email: the page around what was sent."""
    shown = show_email(current_deps().reads, email_id)
    if shown is None:
        raise NotFound("There is no such email, or its lead was erased.")
    return page("email.html", shown=shown, zone=current_deps().settings.timezone)


@blueprint.get("/emails/<uuid:email_id>/html")
def email_html(email_id: UUID) -> ResponseReturnValue:
    """Return the HTML that was sent, for the frame."""
    html = find_html(current_deps().reads, email_id)
    if html is None:
        raise NotFound("Nothing was sent yet.")
    return framed(html)


def framed(html: str) -> Response:
    """Return untrusted HTML so that a frame of the console can show it and it can do nothing else."""
    answer = Response(html, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = FRAMED
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer
