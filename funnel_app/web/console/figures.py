"""Figures: charts, tables, and the same as CSV."""

from collections.abc import Iterable

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.campaigns.states import State
from funnel_app.current import current_deps
from funnel_app.flows.console.figures import Figures, count_figures
from funnel_app.web.console.csv_files import csv_answer
from funnel_app.web.console.frame import blueprint, page
from funnel_app.web.console.pictures import columns

SPANS = (7, 30, 60)


@blueprint.get("/figures")
def figures() -> ResponseReturnValue:
    """Show the figures of the last days."""
    days = _days()
    counted = count_figures(current_deps(), days)
    labels = [f"{day.day} {day:%b}" for day in counted.days]
    series = [(str(state), counted.by_day[state]) for state in counted.by_day]
    return page("figures.html", figures=counted, drawn=columns(labels, series), days=days, spans=SPANS)


@blueprint.get("/figures/<name>.csv")
def figures_csv(name: str) -> ResponseReturnValue:
    """Return a table of figures as CSV."""
    if name not in TABLES:
        raise NotFound(f"There are {', '.join(f'{each}.csv' for each in TABLES)}.")
    return csv_answer(f"funnel-{name}-{_days()}-days", TABLES[name](count_figures(current_deps(), _days())))


def _days() -> int:
    given = request.args.get("days", "30")
    return int(given) if given in {str(days) for days in SPANS} else 30


def _by_day(counted: Figures) -> Iterable[Iterable[object]]:
    yield ["day", *counted.by_day]
    for i, day in enumerate(counted.days):
        yield [day.isoformat(), *(values[i] for values in counted.by_day.values())]


def _by_template(counted: Figures) -> Iterable[Iterable[object]]:
    yield ["template", "planned", "handed over", "delivered", "delivery", "bounce or complaint"]
    for row in counted.templates:
        shares = [round(share, 4) if share is not None else "" for share in (row.delivery, row.bounce)]
        yield [row.key, row.planned, row.handed_over, row.states.get(State.DELIVERED, 0), *shares]


def _waits(counted: Figures) -> Iterable[Iterable[object]]:
    yield ["percent of emails", "seconds from due to delivered, at most"]
    yield from ([percent, round(seconds, 3)] for percent, seconds in counted.waits.items())


def _conversion(counted: Figures) -> Iterable[Iterable[object]]:
    yield ["signed up", "became clients"]
    yield [counted.signed_up, counted.onboarded]


TABLES = {"days": _by_day, "templates": _by_template, "waits": _waits, "conversion": _conversion}
