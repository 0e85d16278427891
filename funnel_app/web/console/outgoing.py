"""Outgoing: events sent to outside receivers, and sending them again."""

from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from funnel_app.current import current_deps
from funnel_app.flows.console.named import name_event
from funnel_app.flows.console.operate import note
from funnel_app.flows.outbox.history import list_events, publish_again, publish_given_up
from funnel_app.flows.outbox.receiver_status import find_receivers
from funnel_app.ledger.models.outbox import Standing
from funnel_app.web.console.shared.access import operator
from funnel_app.web.console.shared.frame import as_uuid, blueprint, page

PAGE = 50
STATES = {Standing.WAITING: "waiting", Standing.TAKEN: "taken", Standing.GIVEN_UP: "given up"}


@blueprint.get("/outgoing")
def outgoing() -> ResponseReturnValue:
    """Show each receiver's state, and the newest events, of one state or all."""
    wanted = request.args.get("state", "")
    state = wanted if wanted in STATES else ""
    rows = list_events(current_deps(), state or None, PAGE + 1, as_uuid(request.args.get("before")))
    older = rows[PAGE - 1]["id"] if len(rows) > PAGE else None
    receivers = find_receivers(current_deps())
    return page("outgoing.html", rows=rows[:PAGE], older=older, state=state, states=STATES, receivers=receivers)


@blueprint.post("/outgoing/replay")
def replay_given_up() -> ResponseReturnValue:
    """Send every event again that was given up."""
    return _replayed(publish_given_up(current_deps()), "all that was given up")


@blueprint.post("/outgoing/<uuid:event_id>/replay")
def replay_event(event_id: UUID) -> ResponseReturnValue:
    """Send one event again."""
    return _replayed(publish_again(current_deps(), [event_id]), name_event(current_deps(), event_id))


def _replayed(number: int, what: str) -> ResponseReturnValue:
    note(current_deps(), operator() or "", "tell_again", None, f"{what}: {number}")
    flash(f"{number:,} told again within seconds." if number else "Nothing to be told again.")
    return redirect(url_for("console.outgoing"), 303)
