"""Unsubscribe: GET shows a page with one button, since mail scanners follow links; POST unsubscribes."""

from collections.abc import Sequence
from typing import NamedTuple

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from funnel_app.current import current_deps
from funnel_app.flows.privacy.unsubscribe import Standing, find_standing, undo, unsubscribe
from funnel_app.ledger.models.base import Scope

blueprint = Blueprint("unsubscribe", __name__, url_prefix="/u")


class Choice(NamedTuple):
    """One option on the page."""

    value: str
    name: str
    meaning: str


CALLS = Choice(Scope.MARKETING.value, "Only emails about my calls", "Reminders of a call or order of yours still come.")
NOTHING = Choice(Scope.ALL.value, "Nothing at all", "No reminders either: please note down the time of your calls.")
THESE_TOO = Choice(
    Scope.ALL.value, "Stop these too", "You may stop those as well: then please note down the time of your calls."
)
MISTAKE = Choice("undo", "I pressed by mistake", "You did not mean to? For a day you can take it back.")
BACK = (
    "You are back",
    "We may write to you again. The series of emails that you were in has ended, and does not go on by itself.",
)
NOBODYS = (
    "This link belongs to nobody",
    "It may have been cut off on its way. Answer any of our emails with the word “unsubscribe”, and we take you off.",
)


@blueprint.get("/<token>")
def ask(token: str) -> ResponseReturnValue:
    """Show the page; nothing changes."""
    standing = find_standing(current_deps(), token)
    if standing is None:
        return _page(*NOBODYS), 404
    if standing.marketing:
        return _page("Fewer emails?", "Choose what we may still send you.", choices=(CALLS, NOTHING))
    return _done(standing)


@blueprint.post("/<token>")
def leave(token: str) -> ResponseReturnValue:
    """Unsubscribe, by the page's button or a mail program's one click (RFC 8058)."""
    deps = current_deps()
    if request.form.get("choice") == MISTAKE.value:
        return _page(*BACK) if undo(deps, token) else (_page(*NOBODYS), 404)
    scope = Scope.ALL if request.form.get("choice") == Scope.ALL else Scope.MARKETING
    if not unsubscribe(deps, token, scope):
        return _page(*NOBODYS), 404
    if request.form.get("List-Unsubscribe") == "One-Click":
        return "", 200
    return _done(find_standing(deps, token) or Standing(marketing=False, nothing=True))


def _done(standing: Standing) -> str:
    mistake = (MISTAKE,) if standing.may_undo else ()
    if standing.nothing:
        return _page("You are unsubscribed", "You get no more emails from us.", further=mistake)
    line = "You get no more marketing emails from us. Emails about your own calls and orders still come."
    return _page("You are unsubscribed", line, further=(THESE_TOO, *mistake))


def _page(title: str, *lines: str, choices: Sequence[Choice] = (), further: Sequence[Choice] = ()) -> str:
    settings = current_deps().settings
    return render_template(
        "unsubscribe.html",
        title=title,
        lines=lines,
        choices=choices,
        further=further,
        company=settings.company_name,
        address=settings.company_address,
    )
