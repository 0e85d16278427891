"""Calendar: what goes out on each of the next days."""

from collections.abc import Sequence
from datetime import timedelta

from flask.typing import ResponseReturnValue

from funnel_app.current import current_deps
from funnel_app.flows.console.calendar import DayAhead, look_ahead
from funnel_app.web.console.shared.frame import blueprint, page

WEEK = 7


@blueprint.get("/calendar")
def calendar() -> ResponseReturnValue:
    """Show what goes on each of the next days, to how many."""
    deps = current_deps()
    found = look_ahead(deps)
    return page("calendar.html", found=found, weeks=weeks_of(found.days), now=deps.now())


def weeks_of(days: Sequence[DayAhead]) -> list[list[DayAhead]]:
    """Return the days as whole weeks, Monday to Sunday; days beyond the calendar are empty."""
    first, last = days[0].day, days[-1].day
    assert first and last
    before = [DayAhead(first - timedelta(days=back), ()) for back in range(first.weekday(), 0, -1)]
    after = [DayAhead(last + timedelta(days=on), ()) for on in range(1, WEEK - last.weekday())]
    whole = [*before, *days, *after]
    return [whole[start : start + WEEK] for start in range(0, len(whole), WEEK)]
