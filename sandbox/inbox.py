"""The inbox: every email that was sent, as the recipient would see it."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from sandbox.control import courier
from sandbox.resend.receiving import write_to_us
from sandbox.state import current_sandbox

blueprint = Blueprint("inbox", __name__)


@blueprint.get("/")
def list_inbox() -> str:
    """Show all emails, newest first."""
    sandbox = current_sandbox()
    with sandbox.lock:
        rows = [(email, email.last_event(sandbox.now())) for email in reversed(sandbox.emails.values())]
    return render_template("inbox.html", rows=rows)


@blueprint.post("/inbox/<email_id>/reply")
def reply(email_id: str) -> ResponseReturnValue:
    """Let the email's reader answer it, as their mail program would."""
    sandbox, text = current_sandbox(), request.form.get("text", "")
    with sandbox.lock:
        if email_id not in sandbox.emails:
            abort(404)
        _, news = write_to_us(sandbox, {"answers": email_id, "text": text})
    courier().announce(news)
    return redirect(url_for("inbox.show_email", email_id=email_id), 303)


@blueprint.get("/inbox/<email_id>")
def show_email(email_id: str) -> str:
    """Show one email exactly as it was sent, with its history."""
    sandbox = current_sandbox()
    with sandbox.lock:
        email = sandbox.emails.get(email_id)
        if email is None:
            abort(404)
        now = sandbox.now()
        history = [(event, list(event.told)) for event in email.happened(now)]
        return render_template("email.html", email=email, state=email.last_event(now), history=history)
