"""Lookout: a thread of the web process that sees what no part of a dead scheduler could tell."""

from threading import Event

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.notify import tell
from funnel_app.flows.monitoring.watch import watch_from_web
from funnel_app.periodic import PeriodicRunner, Round, time_rounds


def look_out(deps: Deps) -> PeriodicRunner:
    """Start the thread. Call it after a fork, since threads do not survive one."""
    every_s = deps.settings.watch_every.total_seconds()
    flows = [Round(every_s, watch_from_web), Round(every_s, tell), *time_rounds()]
    rounds = PeriodicRunner(lambda: deps, flows, Event())
    rounds.start()
    return rounds
