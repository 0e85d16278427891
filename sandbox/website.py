"""The business's website: a signup form and an assessment, each sent to Funnel from its server."""

from collections import Counter
from datetime import datetime
from typing import Any

from flask import Blueprint, render_template, request

from sandbox.relay import Told, call_hook
from sandbox.state import Json, current_sandbox

blueprint = Blueprint("website", __name__, url_prefix="/website")

CONSENT = "Yes, send me the playbook and tips by email. I can leave whenever I like."
WHO = ("email", "first_name", "business_name")
# Eight, as the letter of the results says; the last two are without tips of their own in the campaign's file.
SYSTEMS = ("GPS", "Money", "Team", "Marketing", "Sales", "Client Experience", "Schedule", "Retail")
# What a visitor may say of a system, from the worst to the best, and how much of the score it is worth.
ANSWERS = {"red": "It burns", "orange": "It limps", "yellow": "It works", "green": "It shines"}
WORTH = {"red": 0.0, "orange": 1 / 3, "yellow": 2 / 3, "green": 1.0}


@blueprint.get("")
def show_signup() -> str:
    """Show the form with which a visitor asks for the playbook."""
    return _page("signup", given={})


@blueprint.post("")
def sign_up() -> str | tuple[str, int]:
    """Send the opt-in with the visitor's consent to Funnel, and show the answer; no consent, no call."""
    given = _given(*WHO)
    if "consent" not in request.form:
        return _page("signup", given=given, unwilling=True), 422
    consent = {"at": _now().isoformat(), "text": CONSENT, "source": request.path, "ip": request.remote_addr}
    return _submit("signup", given, {**given, "consent": consent})


@blueprint.get("/assessment")
def show_assessment() -> str:
    """Show the questions to whoever signed up."""
    return _page("assessment", given={name: request.args.get(name, "") for name in WHO})


@blueprint.post("/assessment")
def finish_assessment() -> str | tuple[str, int]:
    """Send the assessment to Funnel, and show the answer."""
    given = _given(*WHO, "revenue_leak_total", *map(field_of, SYSTEMS))
    told = {name: given[name] for name in (*WHO, "revenue_leak_total")} | results(given)
    if "website_sends" in request.form:
        told["email_1_sent_at"] = _now().isoformat()
    return _submit("assessment", given, told)


def field_of(system: str) -> str:
    """Return the name of the form's field for a system."""
    return f"system-{system.lower().replace(' ', '-')}"


def results(given: dict[str, str]) -> Json:
    """Return a website's results for the answers: the score, the number of red systems, and the weakest ones."""
    said = {system: given.get(field_of(system), "") for system in SYSTEMS}
    rated = {system: colour if colour in WORTH else "yellow" for system, colour in said.items()}
    counted = Counter(rated.values())
    ordered = sorted(SYSTEMS, key=lambda system: WORTH[rated[system]])
    return {
        "assessment_score": round(100 * sum(WORTH[colour] for colour in rated.values()) / len(rated)),
        **{f"{colour}_systems": counted[colour] for colour in WORTH},
        "weakest_system_1": ordered[0],
        "weakest_system_2": ordered[1],
        "strongest_system": ordered[-1],
    }


def _given(*names: str) -> dict[str, str]:
    return {name: request.form.get(name, "").strip() for name in names}


def _now() -> datetime:
    return current_sandbox().now()


def _submit(form: str, given: dict[str, str], payload: Json) -> str | tuple[str, int]:
    told = call_hook(current_sandbox().config, {name: value for name, value in payload.items() if value != ""})
    if told.taken:
        return _page("thanks", given=given, told=told, form=form)
    # A visitor sees the form again with all that they typed; a real website would keep the call and repeat it.
    return _page(form, given=given, told=told), 422 if told.errors else 502


def _page(name: str, *, given: dict[str, str], told: Told | None = None, **more: Any) -> str:
    return render_template(
        f"website_{name}.html",
        given=given,
        told=told,
        who=WHO,
        consent=CONSENT,
        systems={system: field_of(system) for system in SYSTEMS},
        answers=ANSWERS,
        funnel=current_sandbox().config.funnel_url,
        **more,
    )
