"""Clock guard: a clock that jumped by over an hour stops all sending, until another clock says that ours is right."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from funnel_app.deps import Deps
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger import watching

KIND = "clock"
JUMP = timedelta(hours=1)
RIGHT_WITHIN = timedelta(minutes=5)
# The pause outlasts any wait for another clock; it is made again while ours is wrong.
STOPS_FOR_S = 86_400.0

log = structlog.get_logger()


class ClockGuard:
    """Compares the clock with one that only counts on, and at the start with the newest row of the ledger."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._last: tuple[datetime, float] | None = None

    def steady(self, deps: Deps) -> bool:
        """Return False where the clock has jumped by over an hour since the last call; then sending is stopped."""
        now, counted = deps.now(), self._monotonic()
        before, self._last = self._last, (now, counted)
        jump = self._since_ledger(deps, now) if before is None else now - before[0] - _span(counted - before[1])
        if abs(jump) <= JUMP:
            return True
        stop(deps, f"the clock jumped by {jump.total_seconds() / 3600:+.1f} hours")
        return False

    def _since_ledger(self, deps: Deps, now: datetime) -> timedelta:
        with deps.reads() as session:
            newest = watching.newest_at(session)
        return min(now - newest, timedelta(0)) if newest else timedelta(0)


def _span(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def stop(deps: Deps, reason: str) -> None:
    """Stop all sending for the clock's sake."""
    log.error("clock_jumped", reason=reason)
    deps.pause.pause(reason, STOPS_FOR_S, KIND)


def compare_with_world(deps: Deps) -> None:
    """Ask another machine for the time, and stop sending where ours is over an hour off; nothing where none answers."""
    off = _off(deps)
    if off is not None and abs(off) > JUMP:
        stop(deps, f"the clock is {off.total_seconds() / 3600:+.1f} hours off Resend's")


def go_on_when_right(deps: Deps) -> bool:
    """Let sending go on where it was stopped for the clock, and another machine says that ours is right."""
    pause = deps.pause.current()
    if pause is None or pause.kind != KIND:
        return False
    off = _off(deps)
    if off is None or abs(off) > RIGHT_WITHIN:
        return False
    deps.pause.lift()
    log.info("clock_right_again")
    return True


def _off(deps: Deps) -> timedelta | None:
    try:
        return deps.now() - deps.world_time(deps.settings.resend_api_url)
    except Unavailable as error:
        log.info("no_other_clock", error=str(error))
        return None
