"""Incoming calls: what callers sent, what was refused and why, and replaying it after a fix."""

import json
from collections.abc import Iterable
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.campaigns.spoken import full_stop
from funnel_app.current import current_deps
from funnel_app.flows.console.hook_pages import find_hooks
from funnel_app.flows.console.named import name_call
from funnel_app.flows.console.operate import note
from funnel_app.flows.intake.keep_refused import NO_FIELDS
from funnel_app.flows.intake.received_calls import find_hook
from funnel_app.ledger.models.base import Outcome
from funnel_app.replay import NotReplayable, replay
from funnel_app.web.console.shared.access import operator
from funnel_app.web.console.shared.frame import as_uuid, blueprint, page

OUTCOMES = tuple(outcome.value for outcome in Outcome)
# Rows of a large list would hide the website's and the calendars' calls.
CAME_WITH_A_LIST = "came with a list"


@blueprint.get("/hooks")
def hooks() -> ResponseReturnValue:
    """List the calls, newest first, of one outcome or all; rows of lists only on request."""
    outcome = request.args.get("outcome", "")
    of_lists = outcome == CAME_WITH_A_LIST
    wanted = outcome if outcome in OUTCOMES else None
    found = find_hooks(current_deps().reads, wanted, as_uuid(request.args.get("after")), lists=of_lists)
    shown = outcome if of_lists else wanted or ""
    return page("hooks.html", found=found, outcome=shown, outcomes=(*OUTCOMES, CAME_WITH_A_LIST))


@blueprint.get("/hooks/<uuid:hook_id>")
def hook(hook_id: UUID) -> ResponseReturnValue:
    """Show one call with its payload, its faults and its answer."""
    return _hook_page(hook_id)


@blueprint.post("/hooks/<uuid:hook_id>/replay")
def replay_hook(hook_id: UUID) -> ResponseReturnValue:
    """Replay a refused call with the form's corrections, as of its first arrival."""
    try:
        replayed = replay(hook_id, {name: _plain(text) for name, text in _typed().items() if text.strip()})
    except NotReplayable as fault:
        return _hook_page(hook_id, str(fault)), 409
    note(current_deps(), operator() or "", "replay", None, f"{name_call(current_deps(), hook_id)}: {replayed.status}")
    if not replayed.taken:
        return _hook_page(hook_id, f"Refused again. {replayed.words}", replayed.errors), 422
    flash(full_stop(f"Done: {replayed.status}, {replayed.words}"))
    return redirect(url_for("console.hook", hook_id=hook_id), 303)


def _hook_page(hook_id: UUID, fault: str | None = None, errors: Iterable[str] = ()) -> str:
    """Return a call's page; its form has a field for each fault found first or by a replay."""
    found = find_hook(current_deps().reads, hook_id)
    if found is None:
        raise NotFound("There is no such call; refused ones are kept for 30 days.")
    replayed_as = (found["answer"] or {}).get("replayed_as")
    texts = {name: json.dumps(found[name], indent=2, ensure_ascii=False) for name in ("payload", "answer")}
    correctable = [
        name for name in dict.fromkeys((*(found["errors"] or {}), *_typed(), *errors)) if name not in NO_FIELDS
    ]
    may_replay = found["outcome"] == Outcome.REFUSED and not replayed_as
    return page(
        "hook.html",
        hook=found,
        texts=texts,
        fault=fault,
        may_replay=may_replay,
        correctable=correctable,
        typed=_typed(),
        addresses=_addresses(),
        replayed_as=replayed_as,
    )


def _addresses() -> dict[str, str]:
    """Return what hooks there are: how each is called, by its address."""
    registry = current_deps().registry
    hooks = [(campaign.name, hook) for campaign in registry.campaigns.values() for hook in campaign.hooks.values()]
    return {hook.path: registry.in_titles(f"{campaign}/{hook.name}") for campaign, hook in hooks}


def _typed() -> dict[str, str]:
    """Return what an operator typed, by field."""
    return {name.removeprefix("set-"): text for name, text in request.form.items() if name.startswith("set-")}


def _plain(text: str) -> object:
    """Return typed text as JSON if it is JSON, else as it is."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text.strip()
