"""Sending status: whether sending is paused, and which caller may probe whether it works again."""

from datetime import datetime
from zoneinfo import ZoneInfo

from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.ledger.pauses import Pause, standing

PATIENCE_S = 5.0


def may_send(deps: Deps) -> bool:
    """Say whether an email may be claimed or submitted now.

    During a pause none may. After it one caller may probe while the others wait for the result.
    """
    pause = deps.pause.current()
    if pause is None:
        return deps.rate.peek() <= PATIENCE_S
    return pause.until <= deps.now() and deps.pause.may_probe()


def pause_reason(deps: Deps) -> str | None:
    """Return within half a second, in plain words, why nothing is sent now; None if sending works. Never raises."""
    if why := deps.queues.why_away():
        return f"Redis {why}"
    return manual_pause(deps) or _paused_by_itself(deps)


def manual_pause(deps: Deps) -> str | None:
    """Return as a clause who paused all sending, until when and why; None if nobody did. Never raises."""
    try:
        with deps.reads() as session:
            return next((pause_words(deps, each) for each in standing(session, deps.now()) if each.of_everything), None)
    except LedgerUnavailable:
        return None


def pause_words(deps: Deps, pause: Pause, verb: str = "is") -> str:
    """Return one operator's pause as a clause: of what, until when, by whom and why."""
    named = "all sending"
    if not pause.of_everything:
        named = f"“{deps.registry.title_of_sequence(pause.campaign, pause.sequence)}”"
    return f"{named} {verb} paused {until_words(deps.settings, pause.until_at)}, by {pause.operator}: {pause.reason}"


def until_words(settings: Settings, until_at: datetime | None) -> str:
    """Return the end of a pause in the business's time zone."""
    if until_at is None:
        return "until somebody resumes it"
    until = until_at.astimezone(ZoneInfo(settings.timezone))
    return f"until {until:%A} {until.day} {until:%B}, {until:%H:%M}"


def _paused_by_itself(deps: Deps) -> str | None:
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
