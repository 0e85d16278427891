"""Put emails on the clock in Redis. An optimisation only: the sweep schedules again whatever Redis loses."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from funnel_app.deps import Deps
from funnel_app.gateways.redis.queue import queue_of
from funnel_app.ledger.emails import Due


def schedule(deps: Deps, planned: Iterable[Due]) -> bool:
    """Put a job on the clock for each email due within the horizon; queue those that are due now.

    Returns False, within half a second, if Redis is away. Safe to repeat.
    """
    now = deps.now()
    near: defaultdict[str, list[tuple[UUID, datetime]]] = defaultdict(list)
    for email in planned:
        if email.due_at <= now + deps.settings.schedule_horizon:
            near[queue_of(email.kind)].append((email.id, email.due_at))
    return all(deps.queues.schedule(entries, now, queue) for queue, entries in sorted(near.items(), reverse=True))
