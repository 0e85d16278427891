"""End sequences: cancel what has not been handed over, and say why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Campaign, Event, Sequence
from funnel_app.campaigns.reasons import on_day
from funnel_app.campaigns.states import State
from funnel_app.ledger import emails, enrolments
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState

REASONS = {
    Event.OPT_IN: "opted in",
    Event.ASSESSMENT: "took the assessment",
    Event.BOOKING: "booked a call",
    Event.BOOKING_CANCELLED: "cancelled the call",
    Event.BOOKING_RESCHEDULED: "moved the call",
    Event.NO_SHOW: "missed a call",
    Event.NO_SHOW_UNDONE: "did not miss the call after all",
    Event.MAYBE: "asked for time to think after a call",
    Event.ONBOARDING: "became a client",
}
OF_ONE_CALL = frozenset({Event.BOOKING_CANCELLED, Event.BOOKING_RESCHEDULED})
NOT_GONE = frozenset({State.PLANNED, State.HELD, State.SKIPPED, State.CANCELLED, State.SUPPRESSED})


@dataclass(frozen=True, kw_only=True)
class Happening:
    """An event at its source: when it happened, of which calendar event, and when that call is."""

    event: Event
    occurrence: str = ""
    at: datetime
    call_at: datetime | None = None


def touches(happening: Happening, sequence: Sequence, start: Happening) -> bool:
    """Say whether an event ends what a start began, or keeps it from beginning, whichever of them comes first here.

    Sequences about one call are touched only by what concerns that call, or makes it a thing of the past.
    """
    if happening.event not in sequence.exits:
        return False
    if not sequence.per_occurrence:
        return True
    same = happening.occurrence == start.occurrence
    if happening.event in OF_ONE_CALL:
        return same
    if happening.event is Event.NO_SHOW_UNDONE:
        return same and happening.at >= start.at
    if happening.event is Event.BOOKING:
        return not same and _is_later(happening.call_at, start.call_at)
    return happening.event is not Event.MAYBE or _is_later(happening.call_at, start.call_at)


def _is_later(call_at: datetime | None, other: datetime | None) -> bool:
    return call_at is None or other is None or call_at >= other


def told(event: Event, at: datetime, zone: ZoneInfo) -> str:
    """Return what happened and on which day of the business, in words that its owner uses."""
    return f"{REASONS[event]} {on_day(at, zone)}"


def end_by_event(
    session: Session, campaign: Campaign, contact_id: UUID, happening: Happening, now: datetime
) -> list[dict[str, str]]:
    """End the contact's sequences that this event exits; return which, with the reason. Safe to repeat."""
    running = enrolments.running(session, contact_id, campaign.name)
    ending = [enrolment for enrolment in running if _ends(campaign, enrolment, happening)]
    reason = told(happening.event, happening.at, ZoneInfo(campaign.timezone))
    return end_all(session, ending, reason, now, happening.event)


def _ends(campaign: Campaign, enrolment: Enrolment, happening: Happening) -> bool:
    sequence = campaign.sequences.get(enrolment.sequence)
    if sequence is None or not touches(happening, sequence, start_of(sequence, enrolment)):
        return False
    # An unmarked no-show takes back what has not begun; once the lead has read of it, the sequence goes on.
    return happening.event is not Event.NO_SHOW_UNDONE or all(email.state in NOT_GONE for email in enrolment.emails)


def start_of(sequence: Sequence, enrolment: Enrolment) -> Happening:
    """Return what started an enrolment."""
    return Happening(
        event=sequence.starts_on,
        occurrence=enrolment.occurrence,
        at=enrolment.happened_at or enrolment.created_at,
        call_at=enrolment.call_at,
    )


def end_all(
    session: Session, ending: Iterable[Enrolment], reason: str, now: datetime, event: Event | None = None
) -> list[dict[str, str]]:
    """End these enrolments of a locked contact, for one reason."""
    ended = []
    for enrolment in ending:
        enrolments.end(enrolment, EnrolmentState.EXITED, reason, now)
        enrolment.exit_event = event
        enrolment.mirror_stale_since = now
        for email in filter(_not_handed_over, enrolment.emails):
            emails.move(session, email, State.CANCELLED, now, reason)
        ended.append({"sequence": enrolment.sequence, "reason": reason})
    return ended


def _not_handed_over(email: Email) -> bool:
    # Once frozen into a request an email may be on its way: only what comes before can still be called back.
    return email.state in {State.PLANNED, State.HELD} or (email.state == State.SENDING and email.request_id is None)
