"""Unproven calls: a sender whose secret is not ours loses every lead, and only we see it."""

from contextlib import suppress

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.checks.check import count
from funnel_app.gateways.errors import Unavailable

KIND = "calls_unproven"
HOUR_S = 3600
# A stranger who tries once or twice is no sender.
FEWEST = 3


def note_unauthenticated(deps: Deps, hook: str) -> None:
    """Count a call of a hook whose proof was wrong or missing; while Redis is away nothing is counted."""
    with suppress(Unavailable):
        deps.process_status.note_unauthenticated(hook)


def recent_counts(deps: Deps) -> dict[str, str]:
    """Return by hook how many calls proved nothing in the last hour, where they are several.

    Raises Unavailable where Redis cannot be reached.
    """
    found = deps.process_status.unauthenticated(HOUR_S)
    return {
        hook: f"{count(number, 'call')} in the last hour with a wrong proof or none"
        for hook, number in sorted(found.items())
        if number >= FEWEST
    }
