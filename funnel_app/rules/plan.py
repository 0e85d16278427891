"""Plan the emails of one enrolment: which, when, and who sends the first."""

from collections.abc import Sequence as Rows
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Campaign, EmailOne, Mode, Sequence, Step
from funnel_app.campaigns.reasons import Reason, ReasonCode, spoken
from funnel_app.campaigns.season import not_on
from funnel_app.campaigns.states import State
from funnel_app.campaigns.timing import due_at, into_window
from funnel_app.rules.facts import EmailFacts

SENT_BY_WEBSITE = Reason("sent by the website", ReasonCode.SENT_BY_WEBSITE)
CALL_HAD_BEGUN = "the call had begun"
NEXT_AS_SOON = "the next one goes at the same time"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Timed(Protocol):
    """An email of the ledger, as far as its time goes."""

    @property
    def due_at(self) -> datetime:
        """When it is due."""

    @property
    def was_due_at(self) -> datetime | None:
        """When it was due before it gave way to other emails; None where it never did."""

    @property
    def latest_at(self) -> datetime | None:
        """After what it must not go; None where its sequence's lateness says so."""


@dataclass(frozen=True, kw_only=True)
class FirstEmail:
    """What the caller says of email 1: when it sent it, if it did."""

    sent_at: datetime | None = None
    status: str | None = None
    entrance: str = "hook"

    def sent_by_website(self, sequence: Sequence) -> bool:
        """Say whether the website sent email 1, by the rule of the campaign's file for this entrance."""
        rule = sequence.email_1_by_entrance.get(self.entrance, sequence.email_1)
        if rule is EmailOne.PAYLOAD:
            return self.sent_at is not None and (self.status or "sent").strip().lower() == "sent"
        return rule is EmailOne.WEBSITE


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How the times of an enrolment's emails are counted; `zone` is where the reader lives."""

    campaign: Campaign
    deadline: date
    anchor_at: datetime
    mode: Mode
    interval_seconds: int
    zone: ZoneInfo

    def due_at(self, sequence: Sequence, step: Step) -> datetime:
        """Return when a step is due, in the sequence's window where it has one; testing mode knows no window."""
        return self.all_due(sequence)[step.number - 1]

    def all_due(self, sequence: Sequence) -> list[datetime]:
        """Return when each step is due; none comes sooner after the one before it because a window moved that one.

        A step of whole days keeps its time of day all the same, as long as it still comes after. Reminders keep their
        distance to the call.
        """
        exact = [self._exactly(step) for step in sequence.steps]
        if sequence.window is None or self.mode is Mode.TEST:
            return exact
        moved: list[datetime] = []
        for number, (step, at) in enumerate(zip(sequence.steps, exact, strict=True)):
            due = into_window(at, sequence.window, self.zone)
            if moved and not sequence.before_anchor:
                apart = moved[-1] + (at - exact[number - 1])
                too_near = due <= moved[-1] if step.in_days else due < apart
                due = into_window(apart, sequence.window, self.zone) if too_near else due
            moved.append(due)
        return moved

    def _exactly(self, step: Step) -> datetime:
        return due_at(step, self.anchor_at, mode=self.mode, interval_seconds=self.interval_seconds, zone=self.zone)

    def not_on(self, step: Step, due: datetime) -> str | None:
        """Return why a step does not go on the day on which it is due; None where it does."""
        day = due.astimezone(ZoneInfo(self.campaign.timezone)).date()
        return not_on(self.campaign, step, self.deadline, day, self.mode)


def anchor(first: FirstEmail, sequence: Sequence, call_at: datetime | None, now: datetime) -> datetime:
    """Return the time that steps count from, in whole seconds: the website's email 1, the call to come, or now."""
    at = call_at if sequence.before_anchor and call_at else now
    if first.sent_by_website(sequence) and first.sent_at is not None:
        at = min(first.sent_at, now)
    return at.astimezone(UTC).replace(microsecond=0)


def plan_emails(sequence: Sequence, first: FirstEmail, timing: Timing, now: datetime, lead: UUID) -> list[EmailFacts]:
    """Return the emails of a new enrolment of a lead, each with its template for good."""
    by_website = first.sent_by_website(sequence)
    due = timing.all_due(sequence)
    return [
        _email(
            step,
            variant_for(step, sequence, lead),
            due[step.number - 1],
            latest=timing.anchor_at if sequence.before_anchor else None,
            skip=SENT_BY_WEBSITE if by_website and step.number == 1 else _skipped(sequence, step, due, timing, now),
        )
        for step in sequence.steps
    ]


def _skipped(sequence: Sequence, step: Step, due: Rows[datetime], timing: Timing, now: datetime) -> Reason | None:
    words = _why_skipped(sequence, step, due, timing, now)
    return Reason(words) if words else None


def _why_skipped(sequence: Sequence, step: Step, due: Rows[datetime], timing: Timing, now: datetime) -> str | None:
    if sequence.before_anchor and timing.anchor_at <= now:
        return CALL_HAD_BEGUN
    at, later = due[step.number - 1], due[step.number :]
    if sequence.before_anchor and later and at >= later[0]:
        return NEXT_AS_SOON
    if sequence.before_anchor and later and (near := gave_way(at, later[0], timing.anchor_at, now)):
        return near
    return timing.not_on(step, max(at, now))


def gave_way(due: datetime, next_due: datetime, call_at: datetime, now: datetime) -> str | None:
    """Return why a reminder that is late gives way to the next one, whose distance to the call fits better by now."""
    middle = due + (next_due - due) / 2
    unit = HOUR if call_at - middle > HOUR else MINUTE
    before = -((middle - call_at) // unit) * unit
    fits_better = next_due <= now or middle < now
    return f"the call was in less than {spoken(before)}" if due <= now and fits_better else None


def too_late(email: Timed, max_lateness: timedelta, now: datetime) -> str | None:
    """Return why an email missed its time for good: the call has begun, or it is later than its sequence allows."""
    if email.latest_at is not None:
        return CALL_HAD_BEGUN if now >= email.latest_at else None
    wanted_at = email.was_due_at or email.due_at
    return f"too late: over {spoken(max_lateness)} after its time" if now - wanted_at > max_lateness else None


def variant_for(step: Step, sequence: Sequence, lead: UUID) -> str:
    """Return which of a step's templates a lead gets: by chance over all leads, and always the same for one."""
    if len(variants := step.variants) == 1:
        return variants[0]
    drawn = sha256(f"{lead}/{sequence.campaign}/{sequence.name}/{step.number}".encode()).digest()
    return variants[drawn[0] % len(variants)]


def _email(step: Step, template: str, due: datetime, *, latest: datetime | None, skip: Reason | None) -> EmailFacts:
    return EmailFacts(
        step=step.number,
        template_key=template,
        due_at=due,
        latest_at=latest,
        state=State.SKIPPED if skip else State.PLANNED,
        reason=skip.words if skip else None,
        reason_code=skip.code if skip else None,
    )
