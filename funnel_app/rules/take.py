"""Take a call: what is decided, what it ends, and what it starts or moves, in this order."""

from dataclasses import dataclass
from uuid import UUID

from funnel_app.campaigns.model import Sequence
from funnel_app.rules.case import Case
from funnel_app.rules.decide import Decision, decide
from funnel_app.rules.exit import ended_by
from funnel_app.rules.facts import ContactFacts, EnrolmentFacts
from funnel_app.rules.plan import anchor, plan_emails
from funnel_app.rules.reschedule import moved
from funnel_app.rules.states import Outcome


@dataclass(frozen=True)
class Taken:
    """What a call came to: the person as they are then, what ended, and the enrolment that the call is about."""

    decision: Decision
    contact: ContactFacts
    ended: tuple[EnrolmentFacts, ...]
    enrolment: EnrolmentFacts | None


def take(case: Case, hook_id: UUID) -> Taken:
    """Return what becomes of a call. Raises TooManyEnrolments."""
    decision = decide(case)
    ended = ended_by(case.happening, case.campaign, case.contact, case.now)
    contact = case.contact.with_enrolments(*ended)
    enrolment = _started_or_moved(case, decision, contact, hook_id)
    return Taken(decision, contact.with_enrolments(enrolment) if enrolment else contact, tuple(ended), enrolment)


def _started_or_moved(case: Case, decision: Decision, contact: ContactFacts, hook_id: UUID) -> EnrolmentFacts | None:
    if decision.outcome is Outcome.ACCEPTED and case.sequence is not None:
        return _start(case, case.sequence, hook_id, decision.run)
    if decision.before is None:
        return None
    # As it is now: this very call may have ended it.
    return moved(case, next(each for each in contact.enrolments if each.id == decision.before.id))


def _start(case: Case, sequence: Sequence, hook_id: UUID, run: int) -> EnrolmentFacts:
    call, now = case.call, case.now
    timing = case.timing(anchor(call.first, sequence, call.call_at, call.received_at or now))
    return EnrolmentFacts(
        contact_id=case.contact.id,
        hook_event_id=hook_id,
        campaign=case.campaign.name,
        sequence=sequence.name,
        occurrence=case.occurrence,
        run=run,
        mode=case.mode.value,
        kind=sequence.kind.value,
        happened_at=case.happening.at,
        call_at=call.call_at,
        anchor_at=timing.anchor_at,
        deadline=timing.deadline,
        variables={**case.contact.properties, **call.variables},
        created_at=now,
        emails=tuple(plan_emails(sequence, call.first, timing, now)),
    )
