"""A lead's present state in a line: their current sequence, else how the last one ended, and their emails."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.spoken import joined
from funnel_app.campaigns.states import IN_WORDS, State
from funnel_app.ledger.models import Enrolment, EnrolmentState, Outcome
from funnel_app.rules.sequences.exit_words import ended_as, in_words

# The email states that are mentioned, the most urgent last.
TOLD = {
    State.DELIVERED: "delivered",
    State.SENT: "on their way",
    State.PLANNED: "to come",
    State.BOUNCED: "bounced",
    State.COMPLAINED: IN_WORDS[State.COMPLAINED],
    State.HELD: "held",
    State.AMBIGUOUS: IN_WORDS[State.AMBIGUOUS],
    State.FAILED: "failed",
}


def true_now(registry: Registry, runs: Sequence[Enrolment]) -> str:
    """Return a lead's present state in a line."""
    if not runs:
        return "In no sequence yet."
    where = "; ".join(_places(registry, runs)) or _how_it_ended(registry, runs)
    states = Counter(email.state for each in runs for email in each.emails)
    emails = [f"{states[state]} {words}" for state, words in TOLD.items() if states[state]]
    of_all = "Emails" if len(runs) == 1 else "Emails in all"
    return f"{where}. {of_all}: {', '.join(emails) or 'none delivered'}."


def _places(registry: Registry, runs: Sequence[Enrolment]) -> Iterator[str]:
    for words, state in (("In", EnrolmentState.ACTIVE), ("Paused in", EnrolmentState.PAUSED)):
        if titles := Counter(f"“{_title(registry, each)}”" for each in runs if each.state == state):
            yield f"{words} {joined([each if n == 1 else f'{each} ({n} times)' for each, n in titles.items()])}"


def _how_it_ended(registry: Registry, runs: Sequence[Enrolment]) -> str:
    last = max(runs, key=lambda each: each.ended_at or each.created_at)
    exited = last.state == EnrolmentState.EXITED
    how = ended_as(last.exit_event, last.exit_reason) if exited else "went to its end"
    return f"In no sequence now; the last, “{_title(registry, last)}”: {how}"


def _title(registry: Registry, enrolment: Enrolment) -> str:
    return registry.title_of_sequence(enrolment.campaign, enrolment.sequence)


def client_since(hooks: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> str | None:
    """Return in words when a lead became a client, by the calls of their trace; None if they are none."""
    wanted = (Event.ONBOARDING, Outcome.ACCEPTED)
    first = min((hook["at"] for hook in hooks if (hook["event"], hook["outcome"]) == wanted), default=None)
    return in_words(Event.ONBOARDING, datetime.fromisoformat(first), zone) if first else None
