"""Digest: each morning a line on yesterday's emails, so that silence is never mistaken for success."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.spoken import things
from funnel_app.campaigns.states import State, state_in_words
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.incidents import CHANNEL
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.monitoring.probes.backups import why_not_well
from funnel_app.flows.monitoring.probes.refused_calls import refused_and_waiting
from funnel_app.flows.monitoring.statistics.day import bounds, day_of, states_of_day
from funnel_app.flows.monitoring.statistics.stats import ledger_stats
from funnel_app.ledger import notices
from funnel_app.ledger.queries import watching

HOUR = 8
STOPPED_ON_PURPOSE = (State.CANCELLED, State.SKIPPED)
BAD = (State.HELD, State.BOUNCED, State.COMPLAINED, State.SUPPRESSED, State.FAILED)

# What is told where it is none too.
ALWAYS = frozenset({"due", "delivered"})


def digest_when_due(deps: Deps) -> bool:
    """Store yesterday's digest from 08:00 on in the business's time zone; False if it is stored already."""
    local = deps.now().astimezone(ZoneInfo(deps.settings.timezone))
    key = f"digest:{local.date()}"
    if local.hour < HOUR or deps.settings.alert_webhook_url is None:
        return False
    yesterday = local.date() - timedelta(days=1)
    with deps.reads() as session:
        if notices.known(session, [key]):
            return False
        begins = _begins_today(session, bounds(yesterday, deps.settings.timezone)[1])
    if begins:
        with deps.sessions.begin() as session:
            notices.add_said(session, key, CHANNEL, deps.now())
        return False
    text = digest(deps, yesterday)
    with deps.sessions.begin() as session:
        return notices.add(session, key, CHANNEL, text, deps.now())


def _begins_today(session: Session, midnight: datetime) -> bool:
    """Say whether this ledger did not exist yesterday: there is nothing to report of that day."""
    first = watching.oldest_call_at(session)
    return not notices.any_beginning(session, "digest:") and (first is None or first >= midnight)


def digest(deps: Deps, day: date) -> str:
    """Return the headline, and a line on a day's emails by what became of them."""
    zone = deps.settings.timezone
    with deps.reads() as session:
        states = states_of_day(session, day, zone)
    went = day_of(states)
    bad = {state_in_words(state): states.get(state, 0) for state in BAD} | {
        "with no known reason": ledger_stats(deps)["unexplained"]
    }
    waiting = went.waiting - bad["held"]
    told = {"due": went.due, "delivered": went.delivered, "on the way": went.on_the_way, "waiting": waiting}
    told |= {state_in_words(state): states.get(state, 0) for state in STOPPED_ON_PURPOSE} | bad
    begins, ends = bounds(day, zone)
    refused = sum(found.number for found in refused_and_waiting(deps.reads, begins, ends))
    no_backup = why_not_well(deps)
    mark = "⚠️" if any(bad.values()) or refused or no_backup else "☀️"
    return (
        f"{current_headline(deps).sentence}\n{mark} {day:%A %d %B}: "
        + ", ".join(f"{number:,} {what}" for what, number in told.items() if number or what in ALWAYS)
        + (
            f"; {things(refused, 'call')} could not be used and wait{'s' if refused == 1 else ''} for a correction"
            if refused
            else ""
        )
        + (f"; backups: {no_backup}" if no_backup else "")
    )
