"""Replanning: an operator applies changed files to people already in a sequence, or keeps them on their plan."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.spoken import joined, things
from funnel_app.deps import Deps
from funnel_app.flows.intake.older_plans import ACTION, STOPPED, Changed, version_of
from funnel_app.flows.intake.replan import apply_changes, keep_all
from funnel_app.ledger import operator_actions
from funnel_app.ledger.models.types import new_id
from funnel_app.ledger.operator_actions import COMMAND_LINE, OperatorAction

ONLY_NEW = "the changed files are for new leads only"
# What becomes of one email and of several.
BECOMES = {
    "moves": ("moves", "move"),
    "comes": ("comes", "come"),
    "goes": ("is withdrawn", "are withdrawn"),
    "text": ("gets another text", "get another text"),
    "late": ("is skipped", "are skipped"),
}


@dataclass(frozen=True)
class Applied:
    """The result of a run: the sequences that changed, and the leads left out."""

    changed: Sequence[Changed]
    left: int


def apply_to_all(deps: Deps, who: str, progress: Callable[[int], None] = lambda done: None) -> Applied:
    """Apply the files to everybody in a sequence, recorded as one action, also if it is stopped halfway.

    `progress` is called after each batch with the count so far.
    """
    over, mark = STOPPED, f" ({version_of(deps.registry)})"
    run, found = _begin(deps, who, over + mark), list[Changed]()
    try:
        for changed in apply_changes(deps, who):
            if changed not in found[-1:]:
                found.append(changed)
            progress(sum(each.people for each in found))
        over, mark = "done", ""
    finally:
        _record(deps.sessions, run, f"{over}: {total_in_words(found)}{mark}")
    return Applied(found, sum(each.left for each in found))


def keep_on_older(deps: Deps, who: str) -> int:
    """Keep everybody on the plan of their enrolment, and record it; return how many there are."""
    run = _begin(deps, who, f"{ONLY_NEW}, which was stopped before its end")
    kept = keep_all(deps)
    _record(deps.sessions, run, f"{ONLY_NEW}: {things(kept, 'lead')} under way keep their plan")
    return kept


def total_in_words(found: Sequence[Changed]) -> str:
    """Return the total of changes in words."""
    people, left = sum(each.people for each in found), sum(each.left for each in found)
    emails = sum((each.emails for each in found), Counter[str]())
    words = f"{things(people - left, 'lead')} by the files as they are now; {emails_in_words(emails)}"
    return f"{words}; {things(left, 'lead')} left as they were" if left else words


def emails_in_words(emails: Counter[str]) -> str:
    """Return what becomes of so many emails, in words."""
    told = [
        f"{things(number, 'email')} {words[number != 1]}" for kind, words in BECOMES.items() if (number := emails[kind])
    ]
    return joined(told) or "no email changes"


def _begin(deps: Deps, who: str, detail: str) -> UUID:
    run = new_id()
    row = OperatorAction(id=run, at=deps.now(), operator=who, action=ACTION, detail=detail, source=COMMAND_LINE)
    with deps.sessions.begin() as session:
        operator_actions.add(session, row)
    return run


def _record(sessions: sessionmaker[Session], run: UUID, detail: str) -> None:
    with sessions.begin() as session:
        operator_actions.record_progress(session, run, detail)
