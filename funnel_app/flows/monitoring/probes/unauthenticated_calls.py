"""Unauthenticated calls: a sender with the wrong secret loses every lead, and only we can see it."""

from contextlib import suppress

from funnel_app.campaigns.spoken import things
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.process_status import ProcessStatus

KIND = "calls_unproven"
HOUR_S = 3600
# One or two attempts are no misconfigured sender.
FEWEST = 3


def note_unauthenticated(process_status: ProcessStatus, hook: str) -> None:
    """Count a hook's call with a wrong or missing secret; not counted while Redis is away."""
    with suppress(Unavailable):
        process_status.note_unauthenticated(hook)


def recent_counts(process_status: ProcessStatus) -> dict[str, str]:
    """Return by hook the unauthenticated calls of the last hour, where there are several.

    Raises Unavailable if Redis cannot be reached.
    """
    found = process_status.unauthenticated(HOUR_S)
    return {
        hook: f"{things(number, 'call')} in the last hour with a wrong proof or none"
        for hook, number in sorted(found.items())
        if number >= FEWEST
    }
