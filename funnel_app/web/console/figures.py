"""Figures: charts and tables of a span of days, beside the span before."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

from flask import request
from flask.typing import ResponseReturnValue

from funnel_app.current import current_deps
from funnel_app.flows.console.experiments import experiments
from funnel_app.flows.console.figures import Asked, Figures, count_figures, last_days, within_reach
from funnel_app.flows.monitoring.alerts.invariants import OVERDUE_AFTER
from funnel_app.rules.figures import WAITS, Wait
from funnel_app.web.console.shared.charts import Drawn, bins, both, columns, pairs
from funnel_app.web.console.shared.frame import blueprint, page
from funnel_app.web.console.shared.words import percent, span

SPANS = (7, 30, 60)
# From this many days on a chart has a column a week.
MOST_COLUMNS = 92
WEEK = 7
MINUTE_S = 60


@blueprint.get("/figures")
def figures() -> ResponseReturnValue:
    """Show the figures of the requested days."""
    counted = count_figures(current_deps(), asked())
    campaigns = {campaign.name: campaign.title for campaign in current_deps().registry.campaigns.values()}
    charts = {"way": _way(counted), "days": _days(counted), "lengths": _lengths(counted.lengths)}
    days = len(counted.days) if counted.asked == last_days(current_deps(), len(counted.days)) else None
    more = {"days": days, "spans": SPANS, "lengths": [(length_of(each), each.emails) for each in counted.lengths]}
    compared = experiments(current_deps(), counted.asked.campaign)
    return page("figures.html", figures=counted, charts=charts, campaigns=campaigns, experiments=compared, **more)


def asked() -> Asked:
    """Return the requested span and campaign; by default the last 30 days of all."""
    deps, given = current_deps(), request.args
    campaign = given.get("campaign", "")
    of = campaign if campaign in deps.registry.campaigns else None
    first, last = _day(given.get("from", "")), _day(given.get("to", ""))
    if first and last:
        return within_reach(deps, first, last, of)
    days = given.get("days", "30")
    return last_days(deps, int(days) if days in {str(each) for each in SPANS} else 30, of)


def length_of(wait: Wait) -> str:
    """Return the range of a histogram's bar in short: to 2 s, over 1 h."""
    seconds = wait.over if wait.at_most is None else wait.at_most
    told = f"{seconds} s" if seconds < MINUTE_S else span(float(seconds))
    return f"over {told}" if wait.at_most is None else f"to {told}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _way(counted: Figures) -> Drawn:
    groups = [
        (stage.name, f"{percent(stage.of_before)}" if stage.of_before is not None else "", stage.people, before.people)
        for stage, before in zip(counted.way, counted.way_before, strict=True)
    ]
    return both(partial(pairs, groups=groups, names=("these days", "the days before")))


def _days(counted: Figures) -> Drawn:
    size = WEEK if len(counted.days) > MOST_COLUMNS else 1
    starts = range(0, len(counted.days), size)
    labels = [f"{counted.days[at].day} {counted.days[at]:%b}" for at in starts]
    series = [(str(state), [sum(values[at : at + size]) for at in starts]) for state, values in counted.by_day.items()]
    return both(partial(columns, labels=labels, series=series))


def _lengths(lengths: Sequence[Wait]) -> Drawn:
    mark = (WAITS.index(OVERDUE_AFTER // timedelta(seconds=1)) + 1, "promise: a minute")
    labels, values = [length_of(each) for each in lengths], [each.emails for each in lengths]
    return both(partial(bins, labels=labels, values=values, mark=mark))
