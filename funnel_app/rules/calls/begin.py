"""Begin a sequence, for the first time or again, so that no step reaches a lead twice."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from funnel_app.campaigns.model import AFTER_END, Event, Sequence
from funnel_app.campaigns.plan_text import find_step, plan_of
from funnel_app.campaigns.reasons import Reason, ReasonCode
from funnel_app.campaigns.season import started_on
from funnel_app.campaigns.states import State
from funnel_app.rules.calls.case import Case
from funnel_app.rules.calls.decide import blocking
from funnel_app.rules.facts import ContactFacts, EmailFacts, EnrolmentFacts
from funnel_app.rules.replaced import replaced
from funnel_app.rules.sequences.exit import NOT_GONE, OF_CALLS, Happening, start_of
from funnel_app.rules.sequences.plan import FirstEmail, anchor, plan_emails
from funnel_app.rules.states import Outcome

WENT_BEFORE = Reason("it went when this sequence ran before")
NEVER_ARRIVED = NOT_GONE | {State.BOUNCED, State.FAILED}
BY_OTHERS = frozenset({ReasonCode.SENT_BY_WEBSITE, ReasonCode.SENT_BEFORE_CUT_OVER})
CALL_TIMES = ("call_time", "scheduled_time")


@dataclass(frozen=True, kw_only=True)
class Start:
    """What begins a sequence: when it happened at its source, which booking it is about, and the variables.

    `received_at` is when the call first arrived, for a call that is replayed or dated.
    """

    happened_at: datetime
    occurrence: str = ""
    call_at: datetime | None = None
    received_at: datetime | None = None
    first: FirstEmail = field(default_factory=FirstEmail)
    variables: dict[str, Any] = field(default_factory=dict)


def begin(case: Case, sequence: Sequence, hook_id: UUID, run: int) -> EnrolmentFacts:
    """Return the enrolment that a call starts; one about a booking uses the booking's latest time."""
    call = case.call
    call_at, variables = call.call_at, dict(call.variables)
    if call.event is Event.BOOKING and case.booking and case.booking.call_at not in {None, call_at}:
        call_at = case.booking.call_at
        variables |= {name: call_at.isoformat() for name in CALL_TIMES if call_at and name in variables}
    start = Start(
        happened_at=case.happening.at,
        occurrence=case.occurrence,
        call_at=call_at,
        received_at=call.begins_at or call.received_at,
        first=call.first,
        variables={**case.contact.properties, **variables},
    )
    return _begun(case, sequence, start, hook_id, run)


def begin_again(case: Case, contact: ContactFacts, hook_id: UUID) -> list[EnrolmentFacts]:
    """Return the enrolments that start because a booking that blocked them no longer does.

    `contact` is the person after the call.
    """
    if case.call.event not in OF_CALLS:
        return []
    case = replaced(case, contact=contact)
    sequences = [s for s in case.campaign.sequences.values() if s.per_occurrence and Event.BOOKING in s.exits]
    owed = [(s, start) for s in sequences if _in_season(case, s) for start in _kept_out(case, s)]
    owed = [(s, start) for s, start in owed if case.now - start.happened_at <= s.max_lateness]
    free = [(sequence, start) for sequence, start in owed if not blocking(case, sequence, _happening(sequence, start))]
    return [_begun(case, s, start, hook_id, len(_runs(case, s, start.occurrence)) + 1) for s, start in free]


def _in_season(case: Case, sequence: Sequence) -> bool:
    return started_on(case.campaign, sequence.starts_on, case.today) == sequence


def _kept_out(case: Case, sequence: Sequence) -> Iterator[Start]:
    """Yield the starts of a sequence that a booking ended or blocked."""
    for occurrence in dict.fromkeys(e.occurrence for e in case.contact.enrolments if e.sequence == sequence.name):
        before = case.contact.latest(case.campaign.name, sequence.name, occurrence)
        if before is not None and before.exit_event == Event.BOOKING:
            at = start_of(sequence, before)
            yield Start(happened_at=at.at, occurrence=occurrence, call_at=at.call_at, variables=dict(before.variables))
    yield from _never_begun(case, sequence)


def _never_begun(case: Case, sequence: Sequence) -> Iterator[Start]:
    heard = (h for h in case.contact.heard if (h.campaign, h.event) == (case.campaign.name, sequence.starts_on))
    ignored = {h.occurrence or "": h for h in heard if h.outcome is Outcome.IGNORED}
    for occurrence, start in ignored.items():
        if not _runs(case, sequence, occurrence):
            said = {"scheduled_time": start.call_at.isoformat()} if start.call_at else {}
            yield Start(
                happened_at=start.happened_at or start.received_at,
                occurrence=occurrence,
                call_at=start.call_at,
                variables={**case.contact.properties, **said},
            )


def _happening(sequence: Sequence, start: Start) -> Happening:
    return Happening(event=sequence.starts_on, occurrence=start.occurrence, at=start.happened_at, call_at=start.call_at)


def _runs(case: Case, sequence: Sequence, occurrence: str) -> list[EnrolmentFacts]:
    return case.contact.runs_in(case.campaign.name, sequence.name, occurrence)


def _begun(case: Case, sequence: Sequence, start: Start, hook_id: UUID, run: int) -> EnrolmentFacts:
    timing = case.timing(anchor(start.first, sequence, start.call_at, start.received_at or case.now))
    emails = plan_emails(sequence, start.first, timing, case.now, case.contact.id)
    gone = _gone(case, sequence, start)
    return EnrolmentFacts(
        contact_id=case.contact.id,
        hook_event_id=hook_id,
        campaign=case.campaign.name,
        sequence=sequence.name,
        occurrence=start.occurrence,
        run=run,
        mode=case.mode.value,
        kind=sequence.kind.value,
        happened_at=start.happened_at,
        call_at=start.call_at,
        anchor_at=timing.anchor_at,
        deadline=timing.deadline,
        plan=plan_of(case.campaign, sequence),
        variables=start.variables,
        created_at=case.now,
        emails=tuple(_skipped(email) if email.step in gone else email for email in emails),
    )


def _gone(case: Case, sequence: Sequence, start: Start) -> set[int]:
    """Return the steps that an earlier run sent, for reminders one about the same time; none if people may re-enter."""
    if sequence.reentry == AFTER_END and not sequence.per_occurrence:
        return set()
    runs = _runs(case, sequence, start.occurrence)
    if sequence.per_occurrence:
        runs = [run for run in runs if run.call_at == start.call_at]
    went = [email for run in runs for email in _arrived(run)]
    # Matched by template, since a step's number may have changed; by number if the template was renamed.
    return {found.number if (found := find_step(sequence, email.template_key)) else email.step for email in went}


def _arrived(run: EnrolmentFacts) -> list[EmailFacts]:
    """Return the emails that seem to have reached a lead; those of other senders only if none of ours bounced."""
    bounced = any(email.state == State.BOUNCED for email in run.emails)
    others = frozenset[ReasonCode]() if bounced else BY_OTHERS
    return [email for email in run.emails if email.state not in NEVER_ARRIVED or email.reason_code in others]


def _skipped(email: EmailFacts) -> EmailFacts:
    return email.moved(State.SKIPPED, WENT_BEFORE) if email.state is State.PLANNED else email
