"""Take a call: update the bookings, decide, end what it ends, and start or move what it starts or moves."""

from dataclasses import dataclass
from uuid import UUID

from funnel_app.rules.calendar.bookings import BookingFacts
from funnel_app.rules.calls.begin import begin, begin_again
from funnel_app.rules.calls.booking_updates import updated
from funnel_app.rules.calls.case import Case
from funnel_app.rules.calls.decide import Decision, decide
from funnel_app.rules.calls.reschedule import moved
from funnel_app.rules.facts import ContactFacts, EnrolmentFacts
from funnel_app.rules.replaced import replaced
from funnel_app.rules.sequences.exit import ended_by
from funnel_app.rules.states import Outcome


@dataclass(frozen=True)
class Taken:
    """The result of a call: the person afterwards, what ended, and the enrolment that the call is about."""

    decision: Decision
    contact: ContactFacts
    ended: tuple[EnrolmentFacts, ...]
    enrolment: EnrolmentFacts | None


def take(case: Case, hook_id: UUID) -> Taken:
    """Return what becomes of a call. Raises TooManyEnrolments."""
    case = _with_word(case)
    decision = decide(case)
    ended = ended_by(case.happening, case.campaign, case.others, case.contact, case.now)
    contact = case.contact.with_enrolments(*ended)
    enrolment = _started_or_moved(case, decision, contact, hook_id)
    contact = contact.with_enrolments(enrolment) if enrolment else contact
    contact = contact.with_enrolments(*begin_again(case, contact, hook_id))
    return Taken(decision, contact, tuple(ended), enrolment)


def _with_word(case: Case) -> Case:
    """Return the case with the bookings updated by this call, ordered by when things happened."""
    call, contact = case.call, case.contact
    new = BookingFacts(
        contact_id=contact.id, campaign=case.campaign.name, occurrence=call.occurrence, mode=case.mode.value
    )
    bookings = updated(contact.bookings, call, case.happening.at, new)
    if bookings == contact.bookings:
        return case
    return replaced(case, contact=replaced(contact, bookings=bookings), is_news=True)


def _started_or_moved(case: Case, decision: Decision, contact: ContactFacts, hook_id: UUID) -> EnrolmentFacts | None:
    if decision.outcome is Outcome.ACCEPTED and case.sequence is not None:
        return begin(case, case.sequence, hook_id, decision.run)
    if decision.before is None:
        return None
    # Looked up again: this very call may have ended it.
    return moved(case, next(each for each in contact.enrolments if each.id == decision.before.id))
