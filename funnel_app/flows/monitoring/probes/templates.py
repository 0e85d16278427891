"""Templates: check each one before any lead is due, and report a Notion that cannot be read."""

from collections.abc import Mapping

from funnel_app.campaigns.spoken import clause, joined
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.alarms import BROKEN_TEXT, NOTION_AWAY
from funnel_app.flows.monitoring.alerts.incidents import note
from funnel_app.flows.templates.serving import check_templates, why_broken
from funnel_app.flows.templates.standing import Standing, standing_of
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger import template_versions
from funnel_app.ledger.models import TemplateVersion

# More than this have a common cause, such as a renamed database, and are reported as one.
MOST_ALONE = 3


def watch_texts(deps: Deps) -> Mapping[str, str]:
    """Read all templates, and record unsendable ones as incidents; return why, by template key.

    Raises Unavailable or Rejected if Notion cannot be read, which is recorded too.
    """
    try:
        broken = check_templates(deps)
    except GatewayError as error:
        note(deps, {(NOTION_AWAY, ""): error.message}, {NOTION_AWAY})
        raise
    note(deps, broken_texts(deps), {BROKEN_TEXT, NOTION_AWAY})
    return broken


def broken_texts(deps: Deps) -> dict[tuple[str, str], str]:
    """Return what is told of the texts that cannot be sent, by kind and subject, as they were last read by anybody."""
    now = deps.now()
    with deps.reads() as session:
        latest, serving = template_versions.latest_of_all(session), template_versions.serving_of_all(session)
    wanted = [latest[key] for key in deps.registry.template_keys() if key in latest and not latest[key].good]
    broken = {each.key: _told(each, standing_of(each, serving.get(each.key), now)) for each in wanted}
    if len(broken) <= MOST_ALONE:
        return {(BROKEN_TEXT, key): told for key, told in broken.items()}
    titles = [f"“{deps.registry.title_of_email(key)}”" for key in broken]
    named = joined([*titles[:MOST_ALONE], f"{len(broken) - MOST_ALONE} more"])
    return {(BROKEN_TEXT, ""): f"{len(broken)} texts: {named}. The first: {next(iter(broken.values()))}"}


def _told(version: TemplateVersion, standing: Standing) -> str:
    # First, so that no long fault cuts it off.
    goes = "leads get its last good text" if standing.leads_get_one else "its emails wait"
    return f"{goes}, since {clause(why_broken(version))}"
