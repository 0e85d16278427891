"""Checks of the campaign files: who follows an older plan."""

from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.flows.intake.older_plans import count_older
from funnel_app.flows.monitoring.check import Findings, ok, warning

LOOK = "flask --app wsgi campaigns plan"
FIX = f"{LOOK} says what would change for whom; campaigns apply does it, and apply --only-new lets them keep it"


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
