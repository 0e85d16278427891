"""Decide what becomes of a call: accepted, a duplicate, or ignored with the reason."""

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import AFTER_END, Event, Sequence
from funnel_app.campaigns.reasons import on_date
from funnel_app.campaigns.season import OUT_OF_SEASON, opens_next
from funnel_app.rules.calendar.places import GIVE_UPS
from funnel_app.rules.calls.case import Case
from funnel_app.rules.calls.limits import check_limits
from funnel_app.rules.facts import EnrolmentFacts, Heard
from funnel_app.rules.sequences.exit import Happening, by_calls, touches, touches_elsewhere
from funnel_app.rules.sequences.exit_words import in_words
from funnel_app.rules.states import HEARD, EnrolmentState, Outcome


@dataclass(frozen=True)
class Decision:
    """What becomes of a call, why, and the enrolment that existed before."""

    outcome: Outcome
    reason: str | None = None
    before: EnrolmentFacts | None = None
    run: int = 1


def decide(case: Case) -> Decision:
    """Return what becomes of a call. Raises TooManyEnrolments."""
    sequence = case.sequence
    if case.rests is not None:
        return Decision(Outcome.IGNORED, _resting(case, case.rests))
    if sequence is None:
        return _decide_by_itself(case)
    before = case.contact.latest(case.campaign.name, sequence.name, case.occurrence)
    if before is not None and not _may_begin_again(case, sequence, before):
        return Decision(Outcome.DUPLICATE, f"“{sequence.title}” was already started for this contact", before)
    blocked = blocking(case, sequence, case.happening)
    if blocked is not None:
        happened = in_words(blocked.event, blocked.at, ZoneInfo(case.campaign.timezone))
        return Decision(Outcome.IGNORED, f"“{sequence.title}” does not start: the contact already {happened}")
    check_limits(case)
    return Decision(Outcome.ACCEPTED, run=before.run + 1 if before else 1)


def _resting(case: Case, sequence: Sequence) -> str:
    reason = f"“{sequence.title}” does not start {OUT_OF_SEASON}"
    season = case.campaign.season
    return f"{reason}: it starts again {on_date(opens_next(season, case.today))}" if season else reason


def _decide_by_itself(case: Case) -> Decision:
    same = (case.call.event, case.occurrence, Outcome.ACCEPTED)
    times = sum((heard.event, heard.occurrence or "", heard.outcome) == same for heard in _heard(case))
    if times == 0 or case.is_news:
        return Decision(Outcome.ACCEPTED, run=times + 1)
    return Decision(Outcome.DUPLICATE, "this is already recorded")


def _may_begin_again(case: Case, sequence: Sequence, before: EnrolmentFacts) -> bool:
    if before.ended_at is None:
        return False
    if before.exit_event in GIVE_UPS:
        return case.booking is not None and case.booking.stands
    undone = before.exit_event == Event.NO_SHOW_UNDONE and case.happening.at > before.started_at
    again = undone or _has_another_time(case, sequence, before) or sequence.reentry == AFTER_END
    return again or (case.call.by_hand and _was_stopped(before))


def _was_stopped(before: EnrolmentFacts) -> bool:
    """Say whether no event of the lead ended it, but a bounce, an unsubscribe or an operator: who may take it up."""
    return before.state is EnrolmentState.EXITED and before.exit_event is None


def _has_another_time(case: Case, sequence: Sequence, before: EnrolmentFacts) -> bool:
    """Say whether all reminders are over and the booking has moved to another time since."""
    over = sequence.before_anchor and before.state is EnrolmentState.COMPLETED
    return over and case.booking is not None and case.booking.call_at not in {None, before.call_at}


def blocking(case: Case, sequence: Sequence, start: Happening) -> Happening | None:
    """Return the event that keeps a sequence from starting; None if none does."""
    if sequence.per_occurrence and (found := by_calls(sequence, start, case.contact)):
        return found
    # A reply ends a sequence, but does not block the next one.
    exits = sequence.exits - {Event.REPLY}
    known = (_happening(heard) for heard in _heard(case) if heard.event in exits)
    here = next((happening for happening in known if touches(happening, sequence, start)), None)
    elsewhere = (_happening(h) for h in _heard_elsewhere(case) if h.event in sequence.exits_elsewhere)
    return here or next((happening for happening in elsewhere if touches_elsewhere(happening, sequence, start)), None)


def _heard(case: Case) -> Iterable[Heard]:
    return (h for h in case.contact.heard if h.campaign == case.campaign.name and h.outcome in HEARD)


def _heard_elsewhere(case: Case) -> Iterable[Heard]:
    return (h for h in case.contact.heard if h.campaign != case.campaign.name and h.outcome in HEARD)


def _happening(heard: Heard) -> Happening:
    return Happening(
        event=Event(heard.event or ""),
        occurrence=heard.occurrence or "",
        at=heard.happened_at or heard.received_at,
        call_at=heard.call_at,
    )
