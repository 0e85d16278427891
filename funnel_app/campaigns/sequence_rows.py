"""A row per sequence for tables: handler, hook, and when its emails go."""

from datetime import timedelta
from typing import Any

from funnel_app.campaigns.model import Campaign, Sequence
from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.season import off_season_in_words


def sequence_rows(registry: Registry) -> list[dict[str, Any]]:
    """Return the rows of all sequences, in the order of the files."""
    campaigns = registry.campaigns.values()
    return [_row(campaign, sequence) for campaign in campaigns for sequence in campaign.sequences.values()]


def _row(campaign: Campaign, sequence: Sequence) -> dict[str, Any]:
    hook = next((hook for hook in campaign.hooks.values() if hook.handler == sequence.handler), None)
    return {
        "campaign": campaign.name,
        "sequence": sequence.name,
        "handler": sequence.handler,
        "kind": str(sequence.kind),
        "priority": sequence.priority,
        "starts_on": str(sequence.starts_on),
        "hook": hook.path if hook else None,
        "legacy_id": str(hook.legacy_id) if hook and hook.legacy_id else None,
        "steps": len(sequence.steps),
        "live": [shown(step.delay) for step in sequence.steps],
        "testing": [f"{step.test_intervals}×" for step in sequence.steps],
        "off_season": off_season_in_words(campaign, sequence),
    }


def shown(delay: timedelta) -> str:
    """Return a delay in its short form: 5m, 24h, 3d; a minus for before the booking."""
    minutes = int(delay.total_seconds()) // 60
    sign, minutes = ("-" if minutes < 0 else ""), abs(minutes)
    if minutes % 1440 == 0:
        return f"{sign}{minutes // 1440}d"
    return f"{sign}{minutes // 60}h" if minutes % 60 == 0 else f"{sign}{minutes}m"
