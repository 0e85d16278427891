"""Downloads: the tables of figures as CSV, with the same columns whatever the data."""

from collections.abc import Callable, Iterable

from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.campaigns.states import State
from funnel_app.current import current_deps
from funnel_app.flows.console.figures import PERCENTS, Figures, Outcomes, count_figures
from funnel_app.flows.monitoring.alerts.invariants import OVERDUE_AFTER
from funnel_app.rules.figures import share
from funnel_app.web.console.figures import asked
from funnel_app.web.console.shared.csv_files import csv_answer
from funnel_app.web.console.shared.frame import blueprint
from funnel_app.web.console.shared.words import stands

Rows = Iterable[Iterable[object]]


@blueprint.get("/figures/<name>.csv")
def figures_csv(name: str) -> ResponseReturnValue:
    """Return a table of figures as CSV."""
    if name not in TABLES:
        raise NotFound(f"There are {', '.join(f'{each}.csv' for each in TABLES)}.")
    counted = count_figures(current_deps(), asked())
    of = "-".join(filter(None, (counted.asked.campaign, f"{counted.asked.first}-to-{counted.asked.last}")))
    return csv_answer(f"funnel-{name}-{of}", TABLES[name](counted))


def _rate(value: float | None) -> object:
    return round(value, 4) if value is not None else ""


def _by_day(counted: Figures) -> Rows:
    yield ["day", *map(stands, State)]
    for i, day in enumerate(counted.days):
        yield [day.isoformat(), *(counted.by_day[state][i] if state in counted.by_day else 0 for state in State)]


def _by_template(counted: Figures) -> Rows:
    yield [
        "template",
        "planned",
        "taken by Resend",
        "delivered",
        "delivery",
        "bounced or marked as spam",
        "bounced",
        "marked as spam",
        "opened",
        "clicked",
    ]
    for row in counted.templates:
        numbers = [row.planned, row.submitted, row.states.get(State.DELIVERED, 0)]
        ended = [_rate(row.delivery), _rate(row.bounce), row.bounced, row.complained]
        yield [row.key, *numbers, *ended, row.opened, row.clicked]


def _waits(counted: Figures) -> Rows:
    yield ["percent of emails", "at most (seconds from due to delivered)"]
    yield from ([each, round(counted.waits[each], 3) if each in counted.waits else ""] for each in PERCENTS)


def _lengths(counted: Figures) -> Rows:
    yield ["over (seconds)", "at most (seconds)", "emails", "as promised"]
    promise = OVERDUE_AFTER.total_seconds()
    for each in counted.lengths:
        good = each.at_most is not None and each.at_most <= promise
        yield [each.over, "" if each.at_most is None else each.at_most, each.emails, "yes" if good else "no"]


def _way(counted: Figures) -> Rows:
    numbers = ["people", "did it themselves", "share of the stage before", "share of all", "went no further"]
    yield ["stage", *numbers, *(f"{name} (days before)" for name in numbers)]
    for pair in zip(counted.way, counted.way_before, strict=True):
        cells = ([s.people, s.did, _rate(s.of_before), _rate(s.of_all), s.dropped] for s in pair)
        yield [pair[0].name, *(cell for each in cells for cell in each)]


def _outcomes(counted: Figures) -> Rows:
    yield ["what", "number", "share of those taken by Resend", "number (days before)", "share (days before)"]
    told = [outcomes_of(counted.outcomes), outcomes_of(counted.outcomes_before)]
    for (name, now), (_, before) in zip(*told, strict=True):
        both = ((now, counted.outcomes), (before, counted.outcomes_before))
        yield [name, *(cell for n, of in both for cell in (n, _rate(share(n, of.emails.submitted))))]


def _conversion(counted: Figures) -> Rows:
    yield ["signed up", "became clients"]
    yield [counted.signed_up, counted.onboarded]


def outcomes_of(outcomes: Outcomes) -> list[tuple[str, int]]:
    """Return what became of the emails that Resend accepted, and the unsubscribes, by name."""
    emails = outcomes.emails
    return [
        ("delivered", emails.states.get(State.DELIVERED, 0)),
        ("bounced", emails.bounced),
        ("marked as spam", emails.complained),
        ("unsubscribed", outcomes.unsubscribed),
    ]


TABLES: dict[str, Callable[[Figures], Rows]] = {
    "way": _way,
    "days": _by_day,
    "outcomes": _outcomes,
    "templates": _by_template,
    "lengths": _lengths,
    "waits": _waits,
    "conversion": _conversion,
}
