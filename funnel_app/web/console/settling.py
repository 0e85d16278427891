"""Settling: put aside, correct, or settle open matters in the operator's name."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.campaigns.spoken import full_stop
from funnel_app.current import current_deps
from funnel_app.deps import Deps
from funnel_app.flows.console import settle
from funnel_app.flows.console.intervene import NotPossible
from funnel_app.flows.console.subjects import of_contact
from funnel_app.web.console.shared.access import operator
from funnel_app.web.console.shared.frame import blueprint, page


@dataclass(frozen=True)
class Aside:
    """One kind of thing that can be put aside, the consequence, and the flow that does it."""

    title: str
    happens: str
    do: Callable[[Deps, UUID, str, str], str]


ASIDES = {
    "call": Aside(
        "Put this call aside",
        "Nobody is asked to correct it any more. Nothing is sent; it stays in the list, and can still be replayed.",
        settle.put_call_aside,
    ),
    "incident": Aside(
        "Put this aside",
        "It is told as over. What comes after it is told again; nothing changes for the leads.",
        settle.put_aside_incident,
    ),
}
# Findings on all ambiguous emails, as the buttons' labels; and on the only one.
OUTCOMES = {
    "delivered": ("They were delivered", "They count as delivered, and their sequences go on."),
    "not-sent": (
        "They never went out: send them",
        "They are written again and go now. Whoever got one after all gets it twice.",
    ),
}
OF_ONE = {
    "delivered": ("It was delivered", "It counts as delivered, and its sequence goes on."),
    "not-sent": ("It never went out: send it", "It is written again and goes now. If it did arrive, it arrives twice."),
}


@blueprint.get("/aside/<what>/<uuid:target>")
def ask_aside(what: str, target: UUID) -> ResponseReturnValue:
    """Ask for a note, and explain the consequence; nothing changes."""
    return page("aside.html", aside=_aside(what))


@blueprint.post("/aside/<what>/<uuid:target>")
def put_aside(what: str, target: UUID) -> ResponseReturnValue:
    """Put it aside, and return to Today."""
    return _do(lambda: _aside(what).do(current_deps(), target, operator() or "", request.form.get("word", "")))


@blueprint.get("/settle")
def ask_settle() -> ResponseReturnValue:
    """Ask what is known of all ambiguous emails."""
    in_doubt = settle.count_in_doubt(current_deps().reads)
    return page("settle.html", outcomes=OF_ONE if in_doubt == 1 else OUTCOMES, in_doubt=in_doubt)


@blueprint.post("/settle")
def settle_all() -> ResponseReturnValue:
    """Settle them all, and return to Today."""
    outcome = request.form.get("outcome", "")
    if outcome not in OUTCOMES:
        raise NotFound("Say whether they were delivered, or never went out.")
    return _do(lambda: settle.settle_all(current_deps(), outcome, operator() or ""))


@blueprint.get("/leads/<uuid:contact_id>/address")
def ask_address(contact_id: UUID) -> ResponseReturnValue:
    """Ask for a lead's right address, and explain what happens to planned emails."""
    return _address_page(contact_id)


@blueprint.post("/leads/<uuid:contact_id>/address")
def correct_address(contact_id: UUID) -> ResponseReturnValue:
    """Change the lead's address, and return to its page."""
    try:
        told = settle.correct_address(current_deps(), contact_id, request.form.get("email", ""), operator() or "")
    except NotPossible as fault:
        return _address_page(contact_id, str(fault)), 409
    flash(full_stop(f"Done: {told}"))
    return redirect(url_for("console.lead", contact_id=contact_id), 303)


def _address_page(contact_id: UUID, fault: str | None = None) -> str:
    subject = of_contact(current_deps(), contact_id)
    if subject is None:
        raise NotFound("There is no such lead, or it was erased.")
    given = request.form.get("email", subject.words)
    return page("address.html", subject=subject, given=given, fault=fault)


def _aside(what: str) -> Aside:
    if what not in ASIDES:
        raise NotFound("There is nothing of that kind to put aside.")
    return ASIDES[what]


def _do(do: Callable[[], str]) -> ResponseReturnValue:
    try:
        flash(f"Done: {do()}.")
    except NotPossible as fault:
        flash(f"Nothing was changed. {fault}")
    return redirect(url_for("console.today"), 303)
