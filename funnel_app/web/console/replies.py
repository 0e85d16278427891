"""Replies: what leads wrote back, as plain text, and forwarding it again."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from funnel_app.current import current_deps
from funnel_app.flows.console.named import name_reply
from funnel_app.flows.console.operate import note
from funnel_app.flows.replies.history import FORWARDS, KINDS, NotForwardable, forward_again, list_received
from funnel_app.web.console.shared.access import operator
from funnel_app.web.console.shared.frame import as_uuid, blueprint, page

PAGE = 50


@blueprint.get("/replies")
def replies() -> ResponseReturnValue:
    """Show the newest incoming emails, of one kind or all."""
    wanted = request.args.get("kind", "")
    kind = wanted if wanted in KINDS else ""
    rows = list_received(current_deps().reads, kind or None, PAGE + 1, as_uuid(request.args.get("before")))
    older = rows[PAGE - 1]["id"] if len(rows) > PAGE else None
    forward_to = current_deps().settings.reply_forward_to
    return page(
        "replies.html", rows=rows[:PAGE], older=older, kind=kind, kinds=KINDS, forwards=FORWARDS, forward_to=forward_to
    )


@blueprint.post("/replies/<uuid:received_id>/forward")
def forward_reply(received_id: UUID) -> ResponseReturnValue:
    """Forward a reply that was kept here, or that the owner's mailbox refused."""
    try:
        forward_again(current_deps(), received_id)
    except NotForwardable as fault:
        flash(str(fault))
    else:
        named, contact_id = name_reply(current_deps(), received_id)
        note(current_deps(), operator() or "", "forward_reply", contact_id, f"sent {named} on")
        flash("It goes on within seconds.")
    return redirect(url_for("console.replies"), 303)
