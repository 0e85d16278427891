"""A holiday season: every date of it, worked out from its year, so that none is ever typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil

DAY = timedelta(days=1)
FRIDAY, THURSDAY = 4, 3


def season_year(today: date) -> int:
    """Return the year in which the season of a day begins: January still belongs to the year before."""
    return today.year if today.month > 1 else today.year - 1


@dataclass(frozen=True, slots=True)
class Span:
    """Days from the first to the last, both counted."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def parts(self) -> tuple[str, ...]:
        """What it is counted in: its days where it is shorter than a week, else its weeks."""
        name, count = ("Day", self.days) if self.days < 7 else ("Week", ceil(self.days / 7))
        return tuple(f"{name} {number}" for number in range(1, count + 1))


@dataclass(frozen=True, slots=True)
class Season:
    """The season that begins in a year; `deadline_day` is the campaign's month and day."""

    year: int
    deadline_day: tuple[int, int]

    @property
    def label(self) -> str:
        """The season as people write it: 2026–27."""
        return f"{self.year}–{(self.year + 1) % 100:02}"

    @property
    def anchors(self) -> Mapping[str, date]:
        """The days that everything else is counted from."""
        thanksgiving = _on_or_after(date(self.year, 11, 22), THURSDAY)
        christmas = date(self.year, 12, 25)
        return {
            "black_friday": thanksgiving + DAY,
            "cyber_monday": thanksgiving + 4 * DAY,
            "deadline": date(self.year, *self.deadline_day),
            "rush": _on_or_after(christmas - 20 * DAY, FRIDAY),
            "christmas": christmas,
            "new_year": date(self.year + 1, 1, 1),
            # The first Monday after New Year's Day: life is ordinary again, and the chairs are empty.
            "reset": _on_or_after(date(self.year + 1, 1, 2), 0),
            "end": date(self.year + 1, 1, 31),
        }

    @property
    def windows(self) -> Mapping[str, Span]:
        """The five revenue windows, in order of their first day."""
        at = self.anchors
        return {
            "black_friday": Span(at["black_friday"], at["cyber_monday"]),
            "gifts": Span(at["cyber_monday"] + DAY, at["christmas"] - DAY),
            "year_end": Span(at["rush"], date(self.year, 12, 31)),
            "new_year": Span(at["christmas"] + DAY, at["reset"] - DAY),
            "reset": Span(at["reset"], at["end"]),
        }

    @property
    def whole(self) -> Span:
        """From the first day of the first window to the last day of the last one."""
        spans = list(self.windows.values())
        return Span(spans[0].first, spans[-1].last)

    def day(self, written: str) -> date:
        """Return the day of `black_friday-14` or `christmas`; KeyError where the anchor is none of ours."""
        for sign in "+-":
            anchor, found, days = written.partition(sign)
            if found:
                return self.anchors[anchor] + int(sign + days) * DAY
        return self.anchors[written]


def _on_or_after(first: date, weekday: int) -> date:
    return first + ((weekday - first.weekday()) % 7) * DAY
