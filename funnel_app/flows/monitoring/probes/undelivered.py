"""Undelivered: emails that bounced, were marked as spam, suppressed or refused, reported by kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from funnel_app.campaigns.states import BADLY_ENDED, State, state_in_words
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.alarms import QUIET
from funnel_app.ledger import incidents
from funnel_app.ledger.queries import undelivered
from funnel_app.ledger.queries.undelivered import Newest
from funnel_app.rules.places import LONG_AGO

REASONS_TOLD = 3
LONGEST_REASON = 120
# Resend suspends accounts above these rates: https://resend.com/docs/knowledge-base/account-quotas-and-limits
MOST = {State.BOUNCED: 0.04, State.COMPLAINED: 0.0008}
WEEK = timedelta(days=7)
# Rates of fewer emails, or of a single bad one, mean nothing.
FEWEST_SENT, FEWEST_BAD = 50, 2


@dataclass(frozen=True)
class Share:
    """How many of a week's emails ended badly, and the limit."""

    state: State
    bad: int
    sent: int

    @property
    def too_many(self) -> bool:
        """Whether it is above the provider's limit."""
        return self.sent >= FEWEST_SENT and self.bad >= FEWEST_BAD and self.bad > MOST[self.state] * self.sent

    def __str__(self) -> str:
        return f"{self.bad:,} of {self.sent:,} {state_in_words(self.state)} ({self.bad / max(self.sent, 1):.1%})"


def undelivered_lately(deps: Deps) -> dict[str, str]:
    """Return by kind of failure how many emails failed recently, and why.

    Failures within an hour of each other are one incident, whose number grows.
    """
    now = deps.now()
    with deps.reads() as session:
        if not undelivered.any_since(session, now - QUIET):
            return {}
        found = {state: undelivered.newest(session, state, _news_from(session, state, now)) for state in BADLY_ENDED}
        return {state: _words(deps.settings, session, state, newest) for state, newest in found.items() if newest}


def shares_of_the_week(deps: Deps) -> list[Share]:
    """Return how many emails of the last seven days bounced, and how many brought a complaint."""
    since = deps.now() - WEEK
    with deps.reads() as session:
        return [Share(state, *undelivered.of_sent(session, state, since)) for state in MOST]


def _words(settings: Settings, session: Session, state: State, newest: Newest) -> str:
    told = undelivered.reasons(session, state, _since(session, state, newest.heard_at))
    number = sum(count for _, count in told)
    address = f"{settings.public_url}/console/leads"
    if number == 1:
        return f"1 email to {newest.address}: {_reasons(told)} ({address}/{newest.contact_id})"
    return f"{number:,} emails: {_reasons(told)} ({address}?trouble={state})"


def _news_from(session: Session, state: State, now: datetime) -> datetime:
    """Return since when failures count as new: after the last that an operator put aside."""
    return max(now - QUIET, incidents.last_put_aside_at(session, state) or LONG_AGO)


def _since(session: Session, state: State, newest: datetime) -> datetime:
    began = min((incident.opened_at for incident in incidents.current(session, [state])), default=newest)
    return max(min(began, newest) - QUIET, incidents.last_put_aside_at(session, state) or LONG_AGO)


def _reasons(told: Sequence[tuple[str | None, int]]) -> str:
    named = [(_short(reason or "no reason given"), count) for reason, count in told[:REASONS_TOLD]]
    if len(told) == 1:
        return named[0][0]
    others = sum(count for _, count in told[REASONS_TOLD:])
    words = [f"{reason} ({count:,})" for reason, count in named]
    return ", ".join([*words, f"other reasons ({others:,})"] if others else words)


def _short(reason: str) -> str:
    words = reason.rstrip(".")
    return words if len(words) <= LONGEST_REASON else f"{words[:LONGEST_REASON].rstrip()}…"
