"""Summaries: a sentence on each sequence: what happened, what comes next and when, or why not and what to do."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from funnel_app.campaigns.reasons import ReasonCode
from funnel_app.campaigns.states import STOPPED, State
from funnel_app.flows.monitoring.alerts.invariants import OVERDUE_AFTER
from funnel_app.flows.sending.eligibility import OFF_THE_LIST, OTHER_ADDRESS, Block
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState, Request

UNDER_WAY = (State.SENDING, State.HELD, State.AMBIGUOUS, State.SENT, State.DELAYED)
BLOCKS_THE_NEXT = (State.SENDING, State.HELD, State.AMBIGUOUS)
GOES_THEN = "then it goes by itself, unless that is later than its sequence allows"
PAUSED_BY_PERSON = "the sequence is paused by a person, and goes on when a person resumes it"
DOCTOR_KNOWS = "flask doctor says what to do"


@dataclass(frozen=True)
class Paused:
    """A pause of a sequence as a clause, and its end; None until it is resumed."""

    words: str
    until: datetime | None


@dataclass(frozen=True)
class Upcoming:
    """The email of a sequence that goes next, at what time, and a clause on what it waits for instead, if anything."""

    email: Email
    at: datetime
    waits: str | None


@dataclass(frozen=True)
class Outlook:
    """What a summary needs besides the enrolment: time, time zone, and what delays emails.

    `blocks` says why nothing of an enrolment goes to its person. Enrolments that go `elsewhere` are live while this
    process is in testing mode. `pauses` are by enrolment.
    """

    now: datetime
    zone: ZoneInfo = ZoneInfo("UTC")  # noqa: RUF009 (frozen)
    waiting: str | None = None
    requests: Mapping[UUID, Request] = field(default_factory=dict)
    blocks: Mapping[UUID, Block | None] = field(default_factory=dict)
    elsewhere: frozenset[UUID] = frozenset()
    pauses: Mapping[UUID, Paused] = field(default_factory=dict)

    def spoken(self, at: datetime) -> str:
        """Return a time in words: today at 07:01, or Wednesday 25 November at 07:00."""
        if abs(at - self.now) < timedelta(minutes=1):
            return "within a minute" if at > self.now else "just now"
        local = at.astimezone(self.zone)
        days = (local.date() - self.now.astimezone(self.zone).date()).days
        day = {0: "today", 1: "tomorrow"}.get(days, f"on {local:%A} {local.day} {local:%B}")
        return f"{day} at {local:%H:%M}"


def sentence(enrolment: Enrolment, now: datetime, outlook: Outlook | None = None) -> str:
    """Say in one sentence what happened in a sequence and what comes next, or why nothing does and what to do."""
    view = outlook or Outlook(now)
    delivered = sum(email.state == State.DELIVERED for email in enrolment.emails)
    clauses = [
        f"{delivered} of {len(enrolment.emails)} emails delivered",
        *_together((email.step, _stopped(email)) for email in enrolment.emails if _went_wrong(email)),
        *_together(
            (email.step, _WORDS[State(email.state)](email, view))
            for email in enrolment.emails
            if email.state in UNDER_WAY
        ),
        _ending(enrolment, view),
    ]
    return "; ".join(clause for clause in clauses if clause) + "."


def _together(told: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Merge clauses that are equal for consecutive emails."""
    # Consecutive steps differ from their list index by the same amount.
    for (_, words), group in groupby(enumerate(told), key=lambda each: (each[1][0] - each[0], each[1][1])):
        steps = [step for _, (step, _) in group]
        several = f"each of emails {steps[0]} {'and' if len(steps) == 2 else 'to'} {steps[-1]}"
        yield f"{several if len(steps) > 1 else f'email {steps[0]}'} {words}"


def _went_wrong(email: Email) -> bool:
    return email.state in STOPPED and email.state != State.CANCELLED


def _stopped(email: Email) -> str:
    return f"{_VERBS.get(State(email.state), email.state)}: {email.reason or 'no reason'}{_advice(email)}"


def _advice(email: Email) -> str:
    if email.state == State.FAILED:
        return f" (once that is fixed: flask emails retry {email.id})"
    if email.state == State.COMPLAINED:
        return " (leave it so: nothing more goes to that address)"
    if email.state == State.BOUNCED:
        return f" ({OTHER_ADDRESS})"
    # Without an id we did not send it: the person unsubscribed, and must be left alone.
    if email.state == State.SUPPRESSED and email.resend_id:
        return f" ({OFF_THE_LIST})"
    return ""


_VERBS = {State.BOUNCED: "bounced", State.COMPLAINED: "brought a complaint", State.SUPPRESSED: "was not sent"}


def _sending(email: Email, view: Outlook) -> str:
    request = view.requests.get(email.request_id) if email.request_id else None
    if request is None or request.next_attempt_at is None or not email.reason:
        return "is being handed to Resend"
    again = view.spoken(max(request.next_attempt_at, view.now + timedelta(seconds=1)))
    cure = f"; {DOCTOR_KNOWS}" if email.reason_code == ReasonCode.RESEND_REFUSES_ALL else ""
    return f"is on its way to Resend: {email.reason}; the same request goes again {again}{cure}"


def _held(email: Email, view: Outlook) -> str:
    return f"is held: {email.reason}; fix that, and it goes by itself within two minutes"


def _ambiguous(email: Email, view: Outlook) -> str:
    return (
        f"{email.reason or 'may have gone out'}; look it up in Resend, then run "
        f"flask emails resolve {email.id} delivered, failed or not-sent"
    )


def _sent(email: Email, view: Outlook) -> str:
    since = f" {view.spoken(email.sent_at)}" if email.sent_at else ""
    return f"was taken by Resend{since} and waits for proof of delivery" + (f": {email.reason}" if email.reason else "")


def _delayed(email: Email, view: Outlook) -> str:
    return f"is delayed: {email.reason or 'the server does not take it yet'}; nothing to do, Resend tries again"


_WORDS: Mapping[State, Callable[[Email, Outlook], str]] = {
    State.SENDING: _sending,
    State.HELD: _held,
    State.AMBIGUOUS: _ambiguous,
    State.SENT: _sent,
    State.DELAYED: _delayed,
}


def _ending(enrolment: Enrolment, view: Outlook) -> str:
    if enrolment.state == EnrolmentState.EXITED:
        return f"the sequence ended: {enrolment.exit_reason}"
    if enrolment.state == EnrolmentState.PAUSED:
        return PAUSED_BY_PERSON
    coming = upcoming(enrolment, view)
    if coming is not None:
        return coming.waits or _goes(coming, view)
    block = view.blocks.get(enrolment.id)
    if block is not None and _planned(enrolment):
        return _blocked(enrolment, block)
    cancelled = [email for email in enrolment.emails if email.state == State.CANCELLED]
    return "; ".join(f"email {email.step} cancelled: {email.reason}" for email in cancelled)


def upcoming(enrolment: Enrolment, view: Outlook) -> Upcoming | None:
    """Return which email of a sequence goes next, and what it waits for; None if none goes any more."""
    email = _planned(enrolment)
    paused = enrolment.state == EnrolmentState.PAUSED
    if email is None or (view.blocks.get(enrolment.id) is not None and not paused):
        return None
    at = max(email.due_at, email.next_attempt_at or email.due_at)
    if paused:
        return Upcoming(email, at, PAUSED_BY_PERSON)
    return Upcoming(email, at, _waits(enrolment, email, at, view))


def _planned(enrolment: Enrolment) -> Email | None:
    if enrolment.state == EnrolmentState.EXITED:
        return None
    return next((email for email in enrolment.emails if email.state == State.PLANNED), None)


def _waits(enrolment: Enrolment, email: Email, at: datetime, view: Outlook) -> str | None:
    if enrolment.id in view.elsewhere:
        return f"email {email.step} is live and waits: TESTING_MODE is true here"
    blocking = next((e for e in enrolment.emails if e.step < email.step and e.state in BLOCKS_THE_NEXT), None)
    if blocking is not None:
        return f"email {email.step} waits until email {blocking.step} is settled"
    pause = view.pauses.get(enrolment.id)
    if pause is not None and (pause.until is None or at < pause.until):
        return f"email {email.step} waits: {pause.words}; {GOES_THEN}"
    return _late(email, at, view) if at <= view.now else None


def _late(email: Email, at: datetime, view: Outlook) -> str | None:
    if view.waiting:
        return f"email {email.step} is due and waits: {view.waiting}; it goes by itself after that"
    if view.now - at > OVERDUE_AFTER:
        return f"email {email.step} was due {view.spoken(at)} and has not gone yet; {DOCTOR_KNOWS}"
    return None


def _goes(coming: Upcoming, view: Outlook) -> str:
    email = coming.email
    if coming.at <= view.now:
        return f"email {email.step} is due and goes within seconds"
    why = f": {email.reason}" if email.was_due_at and email.reason else ""
    return f"email {email.step} goes {view.spoken(coming.at)}{why}"


def _blocked(enrolment: Enrolment, block: Block) -> str:
    told = any(email.reason == block.reason for email in enrolment.emails)
    why = "nothing more goes, for that reason" if told else f"nothing more goes: {block.reason}"
    return f"{why} ({block.cure})" if block.cure else why
