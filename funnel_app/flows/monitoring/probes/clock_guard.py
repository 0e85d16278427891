"""Clock guard: a clock that jumped by over an hour stops all sending until another clock confirms it."""

from datetime import datetime, timedelta

import structlog

from funnel_app.deps import Deps
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.redis.rate_limiter import SendingPause
from funnel_app.ledger.queries import watching
from funnel_app.steady_clock import JUMP

KIND = "clock"
RIGHT_WITHIN = timedelta(minutes=5)
# Twice as long as between two questions of the scheduler.
HEARD_WITHIN = timedelta(minutes=10)
# The pause outlasts any wait for another clock, and is renewed while ours is wrong.
STOPS_FOR_S = 86_400.0

log = structlog.get_logger()


class ClockGuard:
    """Compares the machine's clock with the steady one, and at the start with the ledger's newest row."""

    def __init__(self) -> None:
        self._begun = False

    def steady(self, deps: Deps) -> bool:
        """Return False while the machine's clock is over an hour off the counted time; sending is then stopped."""
        jump = deps.clock.jump() or self._at_the_start(deps)
        if abs(jump) <= JUMP:
            return True
        if not _is_stopped(deps.pause):
            stop(deps.pause, f"the clock jumped by {jump.total_seconds() / 3600:+.1f} hours")
        return False

    def _at_the_start(self, deps: Deps) -> timedelta:
        if self._begun:
            return timedelta(0)
        with deps.reads() as session:
            newest = watching.newest_at(session)
        self._begun = True
        return min(deps.now() - newest, timedelta(0)) if newest else timedelta(0)


def _is_stopped(pause: SendingPause) -> bool:
    current = pause.current()
    return current is not None and current.kind == KIND


def stop(pause: SendingPause, reason: str) -> None:
    """Stop all sending because of the clock."""
    pause.pause(reason, STOPS_FOR_S, KIND)
    log.error("clock_jumped", reason=reason)


def compare_with_world(deps: Deps) -> None:
    """Ask another machine for the time; stop sending if ours is over an hour off. Does nothing without an answer."""
    world = ask_the_time(deps)
    off = deps.clock.shown() - world if world else timedelta(0)
    if abs(off) > JUMP and not _is_stopped(deps.pause):
        stop(deps.pause, f"the clock is {off.total_seconds() / 3600:+.1f} hours off Resend's")


def go_on_when_right(deps: Deps) -> bool:
    """Resume sending that the clock stopped, once another machine confirms our time."""
    if not _is_stopped(deps.pause):
        return False
    world = ask_the_time(deps)
    if world is None or abs(deps.clock.shown() - world) > RIGHT_WITHIN:
        return False
    deps.pause.lift()
    log.info("clock_recovered")
    return True


def end_doubt(deps: Deps) -> bool:
    """Ask another machine for the time while this process does not follow its clock; False until it does."""
    if abs(deps.clock.jump()) <= JUMP:
        return True
    ask_the_time(deps)
    return False


def follow_or_ask(deps: Deps) -> None:
    """Use the time that another process here lately learned from another machine; ask for it where none did."""
    if not deps.clock.follow(HEARD_WITHIN):
        ask_the_time(deps)


def ask_the_time(deps: Deps) -> datetime | None:
    """Return another machine's time, and adopt it if ours is over an hour off; None without an answer."""
    try:
        world = deps.world_time(deps.settings.resend_api_url)
    except Unavailable as error:
        log.info("no_other_clock", error=str(error))
        return None
    if deps.clock.learn(world):
        log.warning("other_clock_trusted", time=world.isoformat())
    return world
