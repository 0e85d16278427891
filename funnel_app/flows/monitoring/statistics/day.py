"""Day: what became of all emails due on a day, counted once for the console, the headline and the digest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.spoken import joined, things
from funnel_app.campaigns.states import STOPPED, State
from funnel_app.ledger.queries import today

ON_THE_WAY = (State.SENDING, State.SENT, State.DELAYED)
WAITING = (State.PLANNED, State.HELD, State.AMBIGUOUS)
# Before the first day of any ledger.
EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Day:
    """How many emails were due, by state; `due` is the sum of all, as in the figures of that day.

    An email that did not go since its sequence had ended, or since it came too late, was due and is stopped.
    """

    delivered: int = 0
    on_the_way: int = 0
    waiting: int = 0
    stopped: int = 0

    @property
    def due(self) -> int:
        """All whose time was on that day."""
        return self.delivered + self.on_the_way + self.waiting + self.stopped

    def __str__(self) -> str:
        if not self.due:
            return "no email is due today"
        if self.delivered == self.due:
            return f"{things(self.due, 'email')} today, {'all ' if self.due > 1 else ''}delivered"
        waiting = f"waiting for {'its' if self.waiting == 1 else 'their'} time"
        told = {"delivered": self.delivered, "on the way": self.on_the_way, waiting: self.waiting}
        told |= {"stopped with a reason": self.stopped}
        return f"{things(self.due, 'email')} today: {joined([f'{n:,} {what}' for what, n in told.items() if n])}"


def day_of(states: Mapping[State, int]) -> Day:
    """Return the day from its counts by state."""

    def number(among: Iterable[State]) -> int:
        return sum(states.get(state, 0) for state in among)

    return Day(states.get(State.DELIVERED, 0), number(ON_THE_WAY), number(WAITING), number(STOPPED))


def states_of_day(session: Session, day: date, timezone: str) -> dict[State, int]:
    """Count the emails due on a day in the business's time zone, by present state."""
    return today.states_due_between(session, *bounds(day, timezone))


def bounds(day: date, timezone: str) -> tuple[datetime, datetime]:
    """Return the start of a day in the business's time zone, and of the next."""
    midnights = (datetime.combine(each, time(), ZoneInfo(timezone)) for each in (day, day + timedelta(days=1)))
    first, then = (midnight.astimezone(UTC) for midnight in midnights)
    return first, then


def local_day(now: datetime, timezone: str) -> date:
    """Return the date of a time in the business's time zone."""
    return now.astimezone(ZoneInfo(timezone)).date()
