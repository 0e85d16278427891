"""Pausing: pause all sending or one sequence for a while; the effect is shown before it is confirmed."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from funnel_app.current import current_deps
from funnel_app.flows.console.intervene import NotPossible
from funnel_app.flows.console.pausing import (
    ALL,
    RULES,
    PauseRequest,
    going_now,
    list_pauses,
    meaning,
    pause_sending,
    resume_sending,
)
from funnel_app.web.console.shared.access import operator
from funnel_app.web.console.shared.frame import blueprint, page


@blueprint.get("/pauses")
def pauses_page() -> ResponseReturnValue:
    """Show the active pauses, and a form for another."""
    return _page(PauseRequest(request.args.get("what", ALL), ""))


@blueprint.post("/pauses")
def pause() -> ResponseReturnValue:
    """Show what a pause would mean, and make it once confirmed."""
    given, deps, who = request.form, current_deps(), operator() or ""
    asked = PauseRequest(given.get("what", ""), given.get("reason", ""), given.get("until", ""))
    try:
        if not given.get("sure"):
            return _page(asked, meaning=meaning(deps, asked, who))
        flash(f"Done: {pause_sending(deps, asked, who)}.")
    except NotPossible as fault:
        return _page(asked, fault=str(fault)), 409
    return redirect(url_for("console.pauses_page"), 303)


@blueprint.get("/pauses/resume")
def ask_resume() -> ResponseReturnValue:
    """Say what would go if a pause ended."""
    what = request.args.get("what", "")
    try:
        return _page(PauseRequest(what, ""), resuming={"what": what, "goes": going_now(current_deps(), what)})
    except NotPossible as fault:
        flash(str(fault))
    return redirect(url_for("console.pauses_page"), 303)


@blueprint.post("/pauses/resume")
def resume() -> ResponseReturnValue:
    """End a pause."""
    try:
        flash(f"Done: {resume_sending(current_deps(), request.form.get('what', ''), operator() or '')}.")
    except NotPossible as fault:
        flash(str(fault))
    return redirect(url_for("console.pauses_page"), 303)


def _page(asked: PauseRequest, fault: str | None = None, **shown: Any) -> str:
    deps = current_deps()
    choices = {ALL: "All sending", **deps.registry.sequence_titles()}
    found = list_pauses(deps)
    shown = {"meaning": None, "resuming": {}} | shown
    return page("pauses.html", asked=asked, fault=fault, choices=choices, found=found, rules=RULES, **shown)
