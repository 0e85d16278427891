"""Invariants: what must always hold, each counted by a query, with what restores it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from funnel_app.campaigns.plan_text import plan_of
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.ledger.queries import counts

OVERDUE_AFTER = timedelta(seconds=60)
STUCK_AFTER = timedelta(minutes=2)
UNCONFIRMED_AFTER = timedelta(minutes=15)
BEHIND_AFTER = timedelta(minutes=5)
ORPHANS_OF_THE_LAST = timedelta(days=1)


@dataclass(frozen=True)
class Invariant:
    """One thing that must not be: title, description, automatic recovery, what that means, and what a person can do."""

    title: str
    broken: str
    recovery: str
    meaning: str
    fix: str
    count: Callable[[Deps, Session], int]


def count_invariants(deps: Deps, names: Iterable[str] | None = None) -> dict[str, int]:
    """Return for each of these invariants, or of all, how often it is violated now; 0 of all: nothing is hidden."""
    with deps.reads() as session:
        return {name: INVARIANTS[name].count(deps, session) for name in (INVARIANTS if names is None else names)}


def _overdue(deps: Deps, session: Session) -> int:
    return counts.overdue(session, deps.now() - OVERDUE_AFTER, deps.sendable_modes)


def _stuck(deps: Deps, session: Session) -> int:
    return counts.sending_since(session, deps.now() - STUCK_AFTER)


def _unconfirmed(deps: Deps, session: Session) -> int:
    return counts.sent_since(session, deps.now() - UNCONFIRMED_AFTER)


def _incomplete(deps: Deps, session: Session) -> int:
    return sum(
        counts.incomplete(session, campaign.name, each.name, len(each.steps), plan_of(campaign, each))
        for campaign in deps.registry.campaigns.values()
        for each in campaign.sequences.values()
    )


def _mirror_behind(deps: Deps, session: Session) -> int:
    # Without a mirror nothing can be behind.
    if not deps.settings.notion_sequences_db_id:
        return 0
    return counts.mirror_behind(session, deps.now() - BEHIND_AFTER)


INVARIANTS: Mapping[str, Invariant] = {
    "overdue": Invariant(
        "Emails are late",
        "due for over 60 seconds and not sent",
        "tried again every 5 seconds",
        "their readers get them later than planned; each is tried again every 5 seconds",
        "see whether sending is paused, a worker gone or Redis away",
        _overdue,
    ),
    "stuck": Invariant(
        "Emails are stuck on their way",
        "on its way to Resend for over 2 minutes",
        "the sweep gives it back, or makes the very same request again",
        "nobody knows yet whether they went; they are sent by the very same request again, so that none goes twice",
        "see flask trace for Resend's last words: a quota, a wrong key or an outage",
        _stuck,
    ),
    "unproven": Invariant(
        "No word of emails that went out",
        "taken by Resend over 15 minutes ago, and no word of it since",
        "Resend is asked, again and again, what became of it",
        "whether they arrived is not known; Resend is asked again and again",
        "see whether Resend's reports still reach us; flask emails resolve tells what you know",
        _unconfirmed,
    ),
    "held": Invariant(
        "Emails cannot be made",
        "held, since the letter cannot be made",
        "looked at again every 30 seconds",
        "they wait, and so do the emails after them; they go by themselves soon after the text is fixed",
        "fix what flask trace names, mostly the template in Notion",
        lambda deps, session: counts.in_state(session, State.HELD),
    ),
    "ambiguous": Invariant(
        "Emails that may have gone out",
        "may have gone out or not, and nobody knows",
        "Resend's report, if it comes",
        "sent again they might arrive twice, so they and the emails after them wait for your word, or Resend's",
        "look it up in Resend and tell with flask emails resolve",
        lambda deps, session: counts.in_state(session, State.AMBIGUOUS),
    ),
    "incomplete": Invariant(
        "A sequence lacks emails",
        "a lead in a sequence with fewer emails than it has",
        "the sweep plans the missing steps",
        "some of its emails are not planned yet",
        "nothing: it is repaired by itself",
        _incomplete,
    ),
    "mirror_behind": Invariant(
        "Notion is behind",
        "a lead in a sequence whose row in Notion is over 5 minutes out of date",
        "its page is written again by itself",
        "what people read in Notion is old; emails go all the same",
        "see whether Notion can be reached, and written to",
        _mirror_behind,
    ),
    "orphans": Invariant(
        "Reports of unknown emails",
        "a report of the last day for an email that the ledger does not have",
        "fitted to its email as soon as that is known",
        "Resend tells of emails that are not ours, or that a restored ledger has forgotten",
        "is another Funnel on the same Resend team, or was the ledger restored from a backup?",
        lambda deps, session: counts.orphans(session, deps.now() - ORPHANS_OF_THE_LAST),
    ),
}
