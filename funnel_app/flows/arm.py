"""Arm: tell the clock in Redis when emails are due. An optimisation only: the sweep finds whatever it loses."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from funnel_app.deps import Deps


def arm(deps: Deps, planned: Sequence[tuple[UUID, datetime]]) -> bool:
    """Put a job per email that is due within the horizon into the clock, those due now onto the queue.

    Returns False, within half a second, where Redis is away. Safe to repeat.
    """
    now = deps.now()
    near = [(email_id, due_at) for email_id, due_at in planned if due_at <= now + deps.settings.arm_horizon]
    return not near or deps.queues.arm(near, now)
