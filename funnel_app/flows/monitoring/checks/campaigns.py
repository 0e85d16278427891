"""Checks of the campaign files: who follows an older plan, and who sends the first email."""

from funnel_app.campaigns.model import EmailOne, Sequence
from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.flows.intake.older_plans import count_older
from funnel_app.flows.monitoring.check import RECENT, Check, Findings, ok, warning
from funnel_app.ledger.queries import watching

LOOK = "flask --app wsgi campaigns plan"
FIX = f"{LOOK} says what would change for whom; campaigns apply does it, and apply --only-new lets them keep it"
# The entrances for an assessment: its own hook, and the old website's paths.
ENTRANCES = ("hook", "legacy")


def older_plans(deps: Deps) -> Findings:
    """Everybody gets the emails that the files define, unless an operator kept them on their plan."""
    found = count_older(deps)
    behind = [
        f"{things(each.people, 'lead')} in {deps.registry.name_of(each.sequence)}" for each in found if each.people
    ]
    if behind:
        words = f"changed since these came, who keep the plan that they began with: {'; '.join(behind)}"
        yield warning("campaign files", words, FIX)
        return
    kept = sum(each.kept for each in found)
    told = f"; {things(kept, 'lead')} under way keep an older plan, as somebody said" if kept else ""
    yield ok("campaign files", f"all who are under way have their plan{told}")


def first_email(deps: Deps) -> Findings:
    """It is clear who sends the first email, at each entrance."""
    for campaign in deps.registry.campaigns.values():
        for sequence in campaign.sequences.values():
            if sequence.email_1 is not EmailOne.FUNNEL or sequence.email_1_by_entrance:
                yield _first_email(deps, f"email 1 of {campaign.name}/{sequence.name}", sequence)


def _first_email(deps: Deps, name: str, sequence: Sequence) -> Check:
    rules = {entrance: sequence.email_1_by_entrance.get(entrance, sequence.email_1) for entrance in ENTRANCES}
    said = [f"{WHO[rule]}, {BY[entrance]}" for entrance, rule in rules.items()]
    detail = WHO[rules["hook"]] if len(set(rules.values())) == 1 else "; ".join(said)
    with deps.reads() as session:
        missing = watching.first_emails_without_sender(session, sequence.campaign, deps.now() - RECENT)
    if rules["hook"] is EmailOne.PAYLOAD and missing:
        words = f"{detail}; {things(missing, 'assessment')} of the last 7 days did not say that the website sent it"
        fix = (
            "if the website does send it, let it say email_1_sent_at, or set email_1_by_entrance in the campaign's file"
        )
        return warning(name, words, fix)
    return ok(name, detail)


BY = {"hook": "of what comes in by today's addresses", "legacy": "of what comes in by the earlier ones"}
WHO = {
    EmailOne.PAYLOAD: "the website if it says so (email_1_sent_at), else Funnel",
    EmailOne.WEBSITE: "always the website",
    EmailOne.FUNNEL: "always Funnel",
}
