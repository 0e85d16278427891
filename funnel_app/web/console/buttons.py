"""Buttons: each explains what will happen, asks, and acts in the operator's name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.campaigns.spoken import full_stop, sentence
from funnel_app.current import current_deps
from funnel_app.deps import Deps
from funnel_app.flows.console import operate, settle
from funnel_app.flows.console.intervene import NotPossible
from funnel_app.flows.console.subjects import Subject, of_contact, of_email, of_enrolment
from funnel_app.flows.intake.manual import NotUnderstood, enrol_manually, in_words
from funnel_app.ledger.models.base import Scope
from funnel_app.rules.limits import TooManyEnrolments
from funnel_app.web.console.shared.access import operator
from funnel_app.web.console.shared.frame import blueprint, page

WINDOW = "If its sequence sends at certain hours only, it waits for them."


@dataclass(frozen=True)
class Button:
    """One action: what it acts on, what will happen, and the flow that does it."""

    subject: Callable[[Deps, UUID], Subject | None]
    title: str
    happens: str
    do: Callable[[Deps, UUID, str], str]
    danger: bool = False
    scopes: bool = False


def _suppress(deps: Deps, contact_id: UUID, name: str) -> str:
    scope = Scope.MARKETING if request.form.get("scope") == Scope.MARKETING else Scope.ALL
    return operate.suppress(deps, contact_id, name, scope)


BUTTONS = {
    "pause": Button(
        of_enrolment,
        "Pause",
        "Nothing more of this sequence goes out until somebody resumes it. An email that was handed to Resend "
        "already cannot be called back.",
        operate.pause,
    ),
    "resume": Button(
        of_enrolment,
        "Resume",
        "The sequence goes on. An email that became due meanwhile goes now, and the ones behind it move by its "
        "lateness; one that is later than its sequence allows is skipped as too late.",
        operate.resume,
    ),
    "stop": Button(
        of_enrolment,
        "Stop",
        "The sequence ends, and all its emails that have not gone are cancelled. It is taken up again only if somebody "
        "enrols the lead once more.",
        operate.stop,
        danger=True,
    ),
    "send_next_now": Button(
        of_enrolment,
        "Send the next email now",
        f"The next email goes within seconds; the ones behind it keep their times. {WINDOW}",
        operate.send_next_now,
    ),
    "skip_step": Button(
        of_email,
        "Skip",
        "This one email is left out for good; the others keep their times.",
        operate.skip_step,
        danger=True,
    ),
    "found_delivered": Button(
        of_email,
        "It was delivered",
        "Only if you found it at Resend as delivered: the email counts as delivered, and the sequence goes on.",
        operate.found_delivered,
    ),
    "send_again": Button(
        of_email,
        "Send it again",
        "Only if you found at Resend that it never went out: it is written again and goes within seconds. If it did "
        "go out after all, the lead gets it twice.",
        operate.send_again,
        danger=True,
    ),
    "retry": Button(
        of_email,
        "Try again",
        "The email is written again and goes within seconds. First fix what Resend said, or it fails again.",
        operate.retry,
    ),
    "release": Button(
        of_email,
        "Try now",
        "The email goes within seconds if its letter can be made by now; else it is held again.",
        operate.release,
    ),
    "suppress": Button(
        of_contact,
        "Mail no more",
        "The address is mailed no more, and what runs for it ends. For who asked for that, or marked an email as spam.",
        _suppress,
        danger=True,
        scopes=True,
    ),
    "mail_again": Button(
        of_contact,
        "Mail again",
        "What forbids mail to this address is forgotten: later emails go again. Only if its reader wants that, or the "
        "address is right after all. What has ended stays ended, until somebody enrols the lead again.",
        settle.mail_again,
        danger=True,
    ),
    "erase": Button(
        of_contact,
        "Erase",
        "All that is known of this person is removed: here, in the letters that were sent, and in Notion. Only a hash "
        "stays, so that the address is never mailed again. This cannot be undone.",
        operate.erase,
        danger=True,
    ),
}


@blueprint.get("/do/<verb>/<uuid:target>")
def ask(verb: str, target: UUID) -> ResponseReturnValue:
    """Explain what will happen, and ask; nothing changes."""
    button, subject = _find(verb, target)
    return page("ask.html", button=button, verb=verb, target=target, subject=subject)


@blueprint.post("/do/<verb>/<uuid:target>")
def do(verb: str, target: UUID) -> ResponseReturnValue:
    """Act, and return to the lead's page with a message."""
    button, subject = _find(verb, target)
    try:
        told = button.do(current_deps(), target, operator() or "")
    except NotPossible as fault:
        return page("ask.html", button=button, verb=verb, target=target, subject=subject, fault=str(fault)), 409
    flash(full_stop(f"Done: {told}"))
    return redirect(url_for("console.lead", contact_id=subject.contact_id), 303)


@blueprint.get("/enrol")
def ask_enrol() -> ResponseReturnValue:
    """Ask for the address and the sequence."""
    return _enrol_page({"email": request.args.get("email", "")})


@blueprint.post("/enrol")
def enrol() -> ResponseReturnValue:
    """Start a sequence for an address as its hook would, and show the lead."""
    deps, given = current_deps(), request.form
    try:
        values = _values(given.get("variables", ""))
        receipt = enrol_manually(deps, given.get("sequence", ""), given.get("email", "").strip(), values)
    except (NotUnderstood, TooManyEnrolments) as fault:
        return _enrol_page(given, str(fault)), 422
    told = in_words(deps.registry.named(given["sequence"])[1].title, receipt)
    operate.note(deps, operator() or "", "enrol", receipt.contact_id, told)
    flash(full_stop(f"Done: {told}") if receipt.http_status == 202 else sentence(told))
    return redirect(url_for("console.lead", contact_id=receipt.contact_id), 303)


def _find(verb: str, target: UUID) -> tuple[Button, Subject]:
    button = BUTTONS.get(verb)
    subject = button.subject(current_deps(), target) if button else None
    if button is None or subject is None:
        raise NotFound("There is nothing to do this to; perhaps the lead was erased meanwhile.")
    return button, subject


def _enrol_page(given: Mapping[str, str], fault: str | None = None) -> str:
    campaigns = current_deps().registry.campaigns.values()
    sequences = [(f"{c.name}/{s.name}", f"{c.title}: {s.title}") for c in campaigns for s in c.sequences.values()]
    return page("enrol.html", given=given, sequences=sequences, fault=fault)


def _values(lines: str) -> dict[str, str]:
    pairs = [line.partition("=") for line in lines.splitlines() if line.strip()]
    for name, equals, _ in pairs:
        if not equals:
            raise NotUnderstood(f"{name.strip()}: write one variable a line, as name=value.")
    return {name.strip(): value.strip() for name, _, value in pairs}
