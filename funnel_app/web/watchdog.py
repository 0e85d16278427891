"""Watchdog: a thread of the web process that notices a dead scheduler."""

from threading import Event

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.monitoring.probes.watch import watch_from_web
from funnel_app.periodic import PeriodicRunner, PeriodicTask, time_tasks


def look_out(deps: Deps) -> PeriodicRunner:
    """Start the thread. Call it after a fork, since threads do not survive one."""
    every_s = deps.settings.watch_every.total_seconds()
    flows = [PeriodicTask(every_s, watch_from_web), PeriodicTask(every_s, notify), *time_tasks()]
    tasks = PeriodicRunner(lambda: deps, flows, Event())
    tasks.start()
    return tasks
