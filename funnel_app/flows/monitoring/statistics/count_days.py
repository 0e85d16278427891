"""Count days: what the figures count of days gone by is counted beforehand, so that a page of many days is quick."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.statistics.day import bounds, local_day
from funnel_app.ledger import counted_days
from funnel_app.ledger.counted_days import Day

MOST_DAYS = 366
AT_A_TIME = 7
# Today's and yesterday's emails still change all the time.
CHANGING = timedelta(days=2)


def count_days(deps: Deps) -> int:
    """Count a few days that are not kept, the newest first; return how many. Safe to repeat."""
    with deps.reads() as session:
        first = counted_days.first_due(session)
        known = counted_days.kept(session)
    if first is None:
        return 0
    zone = deps.settings.timezone
    last = local_day(deps.now(), zone) - CHANGING
    wanted = _days(max(local_day(first, zone), last - timedelta(days=MOST_DAYS - 1)), last, zone)
    _forget(deps.sessions, known.difference(wanted))
    missing = [day for day in reversed(wanted) if day not in known][:AT_A_TIME]
    for day in missing:
        with deps.sessions.begin() as session:
            counted_days.keep(session, day)
    return len(missing)


def _forget(sessions: sessionmaker[Session], days: set[Day]) -> None:
    """Forget days of another zone, or of too long ago."""
    if days:
        with sessions.begin() as session:
            counted_days.forget(session, days)


@lru_cache(maxsize=2)
def _days(first: date, last: date, zone: str) -> Sequence[Day]:
    return [bounds(first + timedelta(days=number), zone) for number in range((last - first).days + 1)]
