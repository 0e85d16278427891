"""End sequences: cancel what has not been handed over, and say why."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from funnel_app.campaigns.model import Campaign, Event
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
    Event.MAYBE: "asked for time to think after a call",
    Event.ONBOARDING: "became a client",
}


def told(event: Event, at: datetime) -> str:
    """Return what happened and when, in words that a business owner uses."""
    return f"{REASONS[event]} on {at.day} {at:%B}"


def end_by_event(
    session: Session, campaign: Campaign, contact_id: UUID, event: Event, now: datetime
) -> list[dict[str, str]]:
    """End the contact's sequences that this event exits; return which, with the reason. Safe to repeat."""
    ending = {sequence.name for sequence in campaign.ended_by(event)}
    running = enrolments.running(session, contact_id, campaign.name)
    return end_all(session, (e for e in running if e.sequence in ending), told(event, now), now)


def end_all(session: Session, ending: Iterable[Enrolment], reason: str, now: datetime) -> list[dict[str, str]]:
    """End these enrolments of a locked contact, for one reason."""
    ended = []
    for enrolment in ending:
        enrolments.end(enrolment, EnrolmentState.EXITED, reason, now)
        for email in filter(_not_handed_over, enrolment.emails):
            emails.move(session, email, State.CANCELLED, now, reason)
        ended.append({"sequence": enrolment.sequence, "reason": reason})
    return ended


def _not_handed_over(email: Email) -> bool:
    # Once frozen into a request an email may be on its way: only what comes before can still be called back.
    return email.state in {State.PLANNED, State.HELD} or (email.state == State.SENDING and email.request_id is None)
