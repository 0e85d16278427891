"""What goes on beside the season: a second campaign that compares two texts, a reply, and a list that came in."""

from dataclasses import replace
from functools import cache

from funnel_app.campaigns.registry import Registry, load_registry
from funnel_app.deps import Deps
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.lists import take_uploaded, uploads
from funnel_app.flows.lists.import_settings import ImportSettings
from funnel_app.flows.replies.keep import Arrival, keep_received
from funnel_app.flows.replies.work import answer_received
from funnel_app.flows.templates.populate import populate
from funnel_app.gateways.resend.inbox import IncomingEmail
from tests.console_world import catch_up
from tests.flows.leads import call

FIRST, SECOND = "evergreen_welcome_email_1", "evergreen_welcome_short"
LIST = b"Email,First Name\ndelivered+fair@resend.dev,Ana\n"


@cache
def two_campaigns() -> Registry:
    """Return both campaigns that are shipped, the first email of the second in two texts."""
    both = load_registry(("evergreen",))
    evergreen = both.campaign("evergreen")
    welcome = evergreen.sequences["evergreen_welcome"]
    steps = (replace(welcome.steps[0], templates=(FIRST, SECOND)), *welcome.steps[1:])
    sequences = {**evergreen.sequences, welcome.name: replace(welcome, steps=steps)}
    return Registry({**both.campaigns, evergreen.name: replace(evergreen, sequences=sequences)})


def with_two_campaigns(deps: Deps) -> Deps:
    """Return the same business with a second campaign."""
    return replace(deps, registry=two_campaigns())


def write_texts(deps: Deps) -> None:
    """Write all starters, and the text that the first one is compared with, where it is."""
    populate(deps)
    if SECOND in deps.registry.template_keys():
        deps.notebook.write(SECOND, subject="Four letters", html="<p>Hi {{ first_name }}, here is the first.</p>")


def live_beside(deps: Deps) -> None:
    """Let some come into the second campaign, one of them by a list, and one answer; nothing where it is another."""
    if SECOND not in deps.registry.template_keys():
        return
    for number in range(4):
        enrol(deps, replace(call(f"delivered+year{number}@resend.dev"), campaign="evergreen"))
    kept = uploads.keep_list(deps, "before.csv", LIST, "Olga")
    columns = {"email": (0,), "first_name": (1,)}
    uploads.look(
        deps, kept, ImportSettings(columns=columns, sequence="evergreen_welcome", consent="the fair of spring")
    )
    uploads.start(deps, kept, "Olga")
    take_uploaded.take_waiting(deps)
    catch_up(deps)
    deps.inbox.letters["in-1"] = IncomingEmail({}, "Yes, please call me.", None)
    keep_received(deps, Arrival(resend_id="in-1", sender="delivered+year0@resend.dev", subject="Re: Four letters"))
    answer_received(deps)
