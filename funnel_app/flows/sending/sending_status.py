"""The gate before every call to Resend: whether sending is paused, and who may try whether it works again."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from funnel_app.deps import Deps
from funnel_app.gateways.errors import Unavailable

LEASE = timedelta(seconds=15)
PATIENCE_S = 5.0


def may_send(deps: Deps) -> bool:
    """Say whether a letter may be claimed or handed over now.

    While sending is paused nobody may; when the pause is over one caller may probe, and the others wait for it.
    """
    pause = deps.pause.current()
    if pause is None:
        return deps.rate.peek() <= PATIENCE_S
    return pause.until <= deps.now() and deps.pause.may_probe()


def pause_reason(deps: Deps) -> str | None:
    """Return within half a second why nothing goes out now, in plain words; None where it does. Never raises."""
    if why := deps.queues.why_away():
        return f"Redis {why}"
    try:
        pause = deps.pause.current()
    except Unavailable:
        return "Redis cannot be reached"
    if pause is None:
        return None
    until = pause.until.astimezone(ZoneInfo(deps.settings.timezone))
    cause = f"{_CAUSES[pause.kind]} ({pause.reason})" if pause.kind in _CAUSES else pause.reason
    return f"all sending is paused until {until:%H:%M} on {until.day} {until:%B}, since {cause}"


_CAUSES = {
    "outage": "Resend cannot be reached",
    "config": "Resend refuses the key, the account or the sender",
    "quota": "the quota of the Resend account is used up",
    "rate_limited": "the Resend team makes too many calls",
}
