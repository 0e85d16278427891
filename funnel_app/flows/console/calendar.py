"""Calendar: which emails go on each of the next days, to how many, and what is held up; nothing is estimated.

New signups add to it, and sequences that end early subtract.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from funnel_app.deps import Deps
from funnel_app.flows.console.pausing import ALL, list_pauses
from funnel_app.flows.monitoring.statistics.day import EVER, bounds, local_day
from funnel_app.flows.monitoring.status.ready import why_all_waits
from funnel_app.flows.templates.subjects import read_subjects
from funnel_app.ledger import template_versions
from funnel_app.ledger.queries import ahead, today
from funnel_app.ledger.queries.ahead import OfDay

DAYS = 30
MOST_HELD = 100


@dataclass(frozen=True)
class Going:
    """The emails of one step on one day; `paused` of them go only if somebody resumes their sequence."""

    campaign: str
    sequence: str
    key: str
    subject: str
    emails: int
    paused: int

    @property
    def goes(self) -> int:
        """How many go unless somebody intervenes."""
        return self.emails - self.paused


@dataclass(frozen=True)
class DayAhead:
    """One day in the business's time zone, and what goes on it; a day of None collects what is late."""

    day: date | None
    going: Sequence[Going]

    @property
    def goes(self) -> int:
        """How many emails go unless somebody intervenes."""
        return sum(each.goes for each in self.going)

    @property
    def paused(self) -> int:
        """How many are held up by a pause."""
        return sum(each.paused for each in self.going)


@dataclass(frozen=True)
class Kept:
    """Held emails, with the fault that holds them."""

    key: str
    reason: str
    emails: int


@dataclass(frozen=True)
class Calendar:
    """The next days, what is late, what is held, and why nothing is sent now (None: sending works).

    `pauses` are those of single sequences, in words.
    """

    late: DayAhead
    days: Sequence[DayAhead]
    held: Sequence[Kept]
    standstill: str | None
    pauses: Sequence[tuple[str, str]]

    @property
    def empty(self) -> bool:
        """Whether nothing is planned, late or held."""
        return not (self.held or self.late.going or any(day.going for day in self.days))


def look_ahead(deps: Deps) -> Calendar:
    """Return the calendar of the next days, in the business's zone, today first."""
    # Read before the transaction opens: a Redis that hangs must not keep it open.
    standstill = why_all_waits(deps)
    now, zone = deps.now(), deps.settings.timezone
    days = [local_day(now, zone) + timedelta(days=number) for number in range(DAYS)]
    spans = [(EVER, now), *(bounds(day, zone) for day in days)]
    spans[1] = (now, spans[1][1])
    with deps.reads() as session:
        planned = ahead.planned_by_day(session, spans)
        held = today.held_by_reason(session, MOST_HELD)
        typed = template_versions.newest_subjects(session)
    subjects = read_subjects(deps, typed)
    return Calendar(
        late=DayAhead(None, _going(planned, 0, subjects)),
        days=[DayAhead(day, _going(planned, number, subjects)) for number, day in enumerate(days, 1)],
        held=[Kept(key, reason or "no reason given", number) for key, reason, number, _ in held],
        standstill=standstill,
        pauses=[(what, words) for what, words in list_pauses(deps).standing if what != ALL],
    )


def _going(planned: Sequence[OfDay], number: int, subjects: Mapping[str, str]) -> list[Going]:
    return [
        Going(each.campaign, each.sequence, each.key, subjects.get(each.key, ""), each.emails, each.paused)
        for each in planned
        if each.day == number
    ]
