"""Templates: check each one before any lead is due, and report a Notion that cannot be read."""

from collections.abc import Mapping

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.spoken import joined
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alarms import BROKEN_TEXT, NOTION_AWAY
from funnel_app.flows.monitoring.incidents import note
from funnel_app.flows.templates.serving import check_templates
from funnel_app.gateways.errors import GatewayError

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
    note(deps, broken_texts(deps.registry, broken), {BROKEN_TEXT, NOTION_AWAY})
    return broken


def broken_texts(registry: Registry, broken: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return what is told of texts that cannot be sent, by kind and subject; `broken` says why, by template key."""
    if len(broken) <= MOST_ALONE:
        return {(BROKEN_TEXT, key): why for key, why in broken.items()}
    titles = [f"“{registry.title_of_email(key)}”" for key in broken]
    named = joined([*titles[:MOST_ALONE], f"{len(broken) - MOST_ALONE} more"])
    return {(BROKEN_TEXT, ""): f"{len(broken)} texts: {named}. The first: {next(iter(broken.values()))}"}
