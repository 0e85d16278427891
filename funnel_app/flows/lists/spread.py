"""Spread: the first emails of a list over time, so that thousands do not go within one hour."""

from collections.abc import Callable
from datetime import datetime, timedelta

from funnel_app.campaigns.model import Mode
from funnel_app.deps import Deps
from funnel_app.flows.lists.import_settings import Plan
from funnel_app.flows.monitoring.local_time import said_at

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def beginnings(deps: Deps, plan: Plan) -> Callable[[int], datetime | None]:
    """Return the time from which a row's emails count; None to start as soon as it is imported."""
    began, spread = deps.now(), _spread(deps, plan)
    return lambda row: began + spread * row // max(plan.rows, 1) if spread else None


def when_first_go(deps: Deps, plan: Plan) -> str:
    """Say in a sentence when the first emails of a list go if it starts now."""
    if plan.sequence is None:
        return "No email goes to them."
    spread = _spread(deps, plan)
    if not spread:
        return "The first email goes to each as soon as the row is in."
    now, each_hour = deps.now(), plan.rows * HOUR // max(spread, HOUR)
    rate = f", about {max(each_hour, 1):,} an hour" if each_hour < plan.rows else ""
    return f"The first emails go between {said_at(deps, now)} and {said_at(deps, now + spread)}{rate}."


def _spread(deps: Deps, plan: Plan) -> timedelta:
    """Return the span, in testing mode with an interval for a day."""
    if deps.mode is Mode.LIVE:
        return plan.chosen.over
    return plan.chosen.over / DAY * timedelta(seconds=deps.settings.testing_interval_seconds)
