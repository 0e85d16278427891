"""Gone quiet: a hook that is called far less than usual, and emails that go out without any event."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.season import closes_on, is_open
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.ledger.queries import watching

LOOK_BACK = timedelta(days=28)
# With fewer calls there is no usual gap.
FEWEST = 10
SEVERAL_TIMES = 4
SHORTEST = timedelta(hours=1)
ECHO_WITHIN = timedelta(hours=1)


def silent_hooks(deps: Deps) -> dict[str, str]:
    """Return hooks silent for several times their usual gap, with both durations."""
    now = deps.now()
    with deps.reads() as session:
        times = watching.hook_times(session, now - LOOK_BACK, deps.mode)
    found = {
        hook: silence_of(_since_season(deps.registry, hook.partition("/")[0], at, now), now)
        for hook, at in times.items()
    }
    return {hook: words for hook, words in found.items() if words}


def _since_season(registry: Registry, campaign: str, times: Sequence[datetime], now: datetime) -> Sequence[datetime]:
    """Return the calls to compare with: after a season only what came after it, since fewer are no fault then."""
    known = registry.campaigns.get(campaign)
    if known is None or known.season is None:
        return times
    zone = ZoneInfo(known.timezone)
    today = now.astimezone(zone).date()
    if is_open(known.season, today):
        return times
    closed = closes_on(known.season, today)
    return [at for at in times if at.astimezone(zone).date() > closed]


def silence_of(times: Sequence[datetime], now: datetime) -> str | None:
    """Return how long a hook has been silent if that is unusual; None if it is not, or unknown.

    Nights and weekends are usual: the silence must be several times the median gap, and 1.5 times the second longest of
    the last four weeks (the longest may have been an outage).
    """
    if len(times) < FEWEST:
        return None
    gaps = sorted(later - earlier for earlier, later in pairwise(times))
    usual, long = timedelta(seconds=median(gap.total_seconds() for gap in gaps)), gaps[-2]
    silence = now - times[-1]
    if silence <= max(SEVERAL_TIMES * usual, 1.5 * long, SHORTEST):
        return None
    return f"no call for {_words(silence)}; usually one comes every {_words(usual)}, and after {_words(long)} at most"


def without_echo(deps: Deps) -> str | None:
    """Return since when emails go out without any event of Resend, if over an hour; None otherwise."""
    with deps.reads() as session:
        since = watching.unheard_since(session)
    if since is None or deps.now() - since <= ECHO_WITHIN:
        return None
    return f"emails have gone out since {said_at(deps, since)}, and Resend has reported nothing"


def _words(span: timedelta) -> str:
    minutes = round(span.total_seconds() / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"
