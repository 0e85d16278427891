"""Pausing: an operator pauses all sending or one sequence, with a reason and an end, and resumes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.registry import Registry, UnknownCampaign
from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.flows.console.intervene import NotPossible
from funnel_app.flows.console.until import read_until
from funnel_app.flows.sending.sending_status import pause_words
from funnel_app.ledger import operator_actions, pauses
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.operator_actions import CONSOLE, OperatorAction
from funnel_app.ledger.pauses import EVERYTHING, Pause
from funnel_app.redact import masked_addresses

ALL = "all"
LONGEST_REASON = 200
SHOWN_OVER = 20
RULES = (
    "Nothing of it is handed to Resend until the pause ends; what Resend has already cannot be called back. When it "
    "ends, what became due meanwhile goes at once, the longest due first, and the steps behind it move by its "
    "lateness. What is later than its sequence allows by then (7 days, or the call that it speaks of) is skipped as "
    "too late. Sign-ups and bookings are taken all the while."
)


@dataclass(frozen=True)
class PauseRequest:
    """A requested pause: all sending or one sequence, why, and until when as typed."""

    what: str
    reason: str
    until: str = ""


@dataclass(frozen=True)
class Meaning:
    """What a pause would do: in words, how many emails it would delay, and how many would be too late then."""

    words: str
    waiting: int
    late: int
    ends: bool

    @property
    def in_numbers(self) -> str:
        """The numbers in a sentence."""
        if not self.ends:
            return "It has no end: what becomes due from now on waits until somebody resumes it."
        late = f", and {self.late:,} of them would be too late by then, and be skipped" if self.late else ""
        return f"{things(self.waiting, 'email')} {'is' if self.waiting == 1 else 'are'} due before that{late}."


@dataclass(frozen=True)
class Pauses:
    """The active pauses, in words and by what they cover, and the most recent past ones."""

    standing: Sequence[tuple[str, str]]
    over: Sequence[Pause]


def meaning(deps: Deps, asked: PauseRequest, operator: str) -> Meaning:
    """Return what a pause would mean; nothing changes. Raises NotPossible for an invalid request."""
    pause = _pause(deps, asked, operator)
    with deps.reads() as session:
        kept = _due_before(session, pause, pause.until_at) if pause.until_at else []
    late = sum(_is_late(deps.registry, each, pause.until_at) for each in kept if pause.until_at)
    return Meaning(pause_words(deps, pause, verb="would be"), len(kept), late, ends=pause.until_at is not None)


@retry_on_conflict
def pause_sending(deps: Deps, asked: PauseRequest, operator: str, source: str = CONSOLE) -> str:
    """Pause all sending or one sequence; an active pause is replaced. Raises NotPossible."""
    pause = _pause(deps, asked, operator)
    told = pause_words(deps, pause)
    row = OperatorAction(at=pause.began_at, operator=operator, action="pause", detail=told, source=source)
    with deps.sessions.begin() as session:
        pauses.begin(session, pause)
        operator_actions.add(session, row)
    return told


def going_now(deps: Deps, what: str) -> str:
    """Return in a sentence what would go if this pause ended; nothing changes. Raises NotPossible if none is active."""
    now, names = deps.now(), _names(deps.registry, what)
    with deps.reads() as session:
        found = [each for each in pauses.standing(session, now) if (each.campaign, each.sequence) == names]
        if not found:
            raise NotPossible(_nobody_paused(deps.registry, names))
        waits = len(_due_before(session, found[0], now))
    if not waits:
        return "No email waits for it."
    return f"{things(waits, 'email')} became due meanwhile: the first of each lead goes at once, and the others move."


@retry_on_conflict
def resume_sending(deps: Deps, what: str, operator: str, source: str = CONSOLE) -> str:
    """End a pause early. Raises NotPossible if none is active."""
    now, names = deps.now(), _names(deps.registry, what)
    told = f"{_titled(deps.registry, names)} goes on; what waited goes now"
    with deps.sessions.begin() as session:
        if not pauses.end(session, *names, now):
            raise NotPossible(_nobody_paused(deps.registry, names))
        row = OperatorAction(at=now, operator=operator, action="resume", detail=told, source=source)
        operator_actions.add(session, row)
    return told


def paused_sequences(deps: Deps) -> frozenset[tuple[str, str]]:
    """Return what is paused now: campaign and sequence of each, or EVERYTHING."""
    with deps.reads() as session:
        return frozenset((each.campaign, each.sequence) for each in pauses.standing(session, deps.now()))


def list_pauses(deps: Deps) -> Pauses:
    """Return the active and the past pauses."""
    with deps.reads() as session:
        found, over = pauses.standing(session, deps.now()), pauses.over(session, SHOWN_OVER, deps.now())
    return Pauses([(_named(each), pause_words(deps, each)) for each in found], over)


def _titled(registry: Registry, names: tuple[str, str]) -> str:
    return "all sending" if names == EVERYTHING else f"“{registry.title_of_sequence(*names)}”"


def _nobody_paused(registry: Registry, names: tuple[str, str]) -> str:
    return f"Nobody paused {_titled(registry, names)}, or the pause is over."


def _due_before(session: Session, pause: Pause, end_at: datetime) -> list[tuple[str, str, datetime, datetime | None]]:
    due = pauses.due_before(session, end_at)
    return [each for each in due if pause.of_everything or each[:2] == (pause.campaign, pause.sequence)]


def _named(pause: Pause) -> str:
    return ALL if pause.of_everything else f"{pause.campaign}/{pause.sequence}"


def _pause(deps: Deps, asked: PauseRequest, operator: str) -> Pause:
    # Reasons outlive an erasure and are posted in chats, so they must hold no address.
    reason = masked_addresses(" ".join(asked.reason.split())[:LONGEST_REASON])
    if not reason:
        raise NotPossible("Say why: whoever finds sending paused must know whether it may go on.")
    until_at = read_until(asked.until, deps.now(), ZoneInfo(deps.settings.timezone))
    campaign, sequence = _names(deps.registry, asked.what)
    return Pause(
        campaign=campaign,
        sequence=sequence,
        reason=reason,
        operator=operator,
        began_at=deps.now(),
        until_at=until_at.astimezone(UTC) if until_at else None,
    )


def _names(registry: Registry, what: str) -> tuple[str, str]:
    if what == ALL:
        return EVERYTHING
    campaign, _, name = what.rpartition("/")
    named = [(c.name, name) for c in registry.campaigns.values() if campaign in {"", c.name} and name in c.sequences]
    if len(named) != 1:
        known = ", ".join(registry.sequence_titles())
        raise NotPossible(f"There is no one sequence {what}: say all, or one of {known}.")
    return named[0]


def _is_late(registry: Registry, email: tuple[str, str, datetime, datetime | None], end_at: datetime) -> bool:
    campaign, name, due_at, latest_at = email
    try:
        most = registry.sequence(campaign, name).max_lateness
    except (UnknownCampaign, LookupError):
        return False
    return end_at > (latest_at or due_at + most)
