"""Digest: each morning one line on what became of yesterday's emails, so that silence is never taken for success."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from funnel_app.campaigns.states import OPEN, State
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.backups import why_not_well
from funnel_app.flows.monitoring.incidents import CHANNEL
from funnel_app.flows.monitoring.refused_calls import refused_and_waiting
from funnel_app.flows.monitoring.stats import ledger_stats
from funnel_app.ledger import notices, watching

HOUR = 8


def digest_when_due(deps: Deps) -> bool:
    """Keep yesterday's digest from eight o'clock on in the business's time zone; False where it is kept already."""
    local = deps.now().astimezone(ZoneInfo(deps.settings.timezone))
    key = f"digest:{local.date()}"
    if local.hour < HOUR or deps.settings.alert_webhook_url is None:
        return False
    with deps.reads() as session:
        if notices.known(session, [key]):
            return False
    text = digest(deps, local.date() - timedelta(days=1))
    with deps.sessions.begin() as session:
        return notices.add(session, key, CHANNEL, text, deps.now())


def digest(deps: Deps, day: date) -> str:
    """Return one line on the emails that fell due on a day of the business: all that were due, by what became of them.

    Emails that were never to go, since their sequence had ended or somebody else sent them, are not due.
    """
    zone = ZoneInfo(deps.settings.timezone)
    begins, ends = (_midnight(each, zone) for each in (day, day + timedelta(days=1)))
    with deps.reads() as session:
        counts = watching.day_counts(session, begins, ends, deps.mode)
    never = sum(counts.get(state, 0) for state in (State.CANCELLED, State.SKIPPED))
    bad = {
        "held": counts.get(State.HELD, 0),
        "bounced": counts.get(State.BOUNCED, 0),
        "marked as spam": counts.get(State.COMPLAINED, 0),
        "suppressed": counts.get(State.SUPPRESSED, 0),
        "failed": counts.get(State.FAILED, 0),
        "unexplained": ledger_stats(deps)["unexplained"],
    }
    told = {
        "due": sum(counts.values()) - never,
        "delivered": counts.get(State.DELIVERED, 0),
        "under way": sum(counts.get(state, 0) for state in OPEN - {State.HELD}),
        **bad,
    }
    refused = sum(found.number for found in refused_and_waiting(deps, begins, ends))
    no_backup = why_not_well(deps)
    mark = "⚠️" if any(bad.values()) or refused or no_backup else "☀️"
    return (
        f"{mark} {day:%A %d %B}: "
        + ", ".join(f"{number:,} {what}" for what, number in told.items())
        + (f"; {refused:,} refused calls wait for a mend" if refused else "")
        + (f"; backups: {no_backup}" if no_backup else "")
    )


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
