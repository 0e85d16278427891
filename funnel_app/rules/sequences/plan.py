"""Plan the emails of one enrolment: which, when, and who sends the first."""

from collections.abc import Sequence as Rows
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Campaign, EmailOne, Mode, Sequence, Step
from funnel_app.campaigns.reasons import Reason, ReasonCode, spoken
from funnel_app.campaigns.season import not_on
from funnel_app.campaigns.states import State
from funnel_app.campaigns.timing import due_at, into_window
from funnel_app.rules.experiments import variant_for
from funnel_app.rules.facts import EmailFacts

SENT_BY_WEBSITE = Reason("sent by the website", ReasonCode.SENT_BY_WEBSITE)
CALL_HAD_BEGUN = "the call had begun"
NEXT_AS_SOON = "the next one goes at the same time"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Timed(Protocol):
    """The times of an email in the ledger."""

    @property
    def due_at(self) -> datetime:
        """Return when a step is due, within the sequence's window if it has one; testing mode ignores windows."""

    @property
    def was_due_at(self) -> datetime | None:
        """When it was due before a frequency limit delayed it; None if none did."""

    @property
    def latest_at(self) -> datetime | None:
        """The time after which it must not go; None if its sequence's limit applies."""


@dataclass(frozen=True, kw_only=True)
class FirstEmail:
    """What the caller says of email 1: whether and when the caller sent it."""

    sent_at: datetime | None = None
    status: str | None = None
    entrance: str = "hook"

    def sent_by_website(self, sequence: Sequence) -> bool:
        """Say whether the website sent email 1, by the campaign file's rule for this entrance."""
        rule = sequence.email_1_by_entrance.get(self.entrance, sequence.email_1)
        if rule is EmailOne.PAYLOAD:
            return self.sent_at is not None and (self.status or "sent").strip().lower() == "sent"
        return rule is EmailOne.WEBSITE


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How an enrolment's emails are timed; `zone` is the recipient's."""

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
        """Return when each step is due; a window never brings a step closer to the one before it.

        A step of whole days keeps its time of day as long as it still comes after the one before. Reminders keep their
        distance to the booking.
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
        """Return why a step is skipped on the day it is due; None if it is not."""
        if not step.minds_the_day:
            return None
        day = due.astimezone(ZoneInfo(self.campaign.timezone)).date()
        return not_on(self.campaign, step, self.deadline, day, self.mode)


def anchor(first: FirstEmail, sequence: Sequence, call_at: datetime | None, now: datetime) -> datetime:
    """Return the time that steps count from, in whole seconds: the website's email 1, the booking's start, or now."""
    at = call_at if sequence.before_anchor and call_at else now
    if first.sent_by_website(sequence) and first.sent_at is not None:
        at = min(first.sent_at, now)
    return at.astimezone(UTC).replace(microsecond=0)


def plan_emails(sequence: Sequence, first: FirstEmail, timing: Timing, now: datetime, lead: UUID) -> list[EmailFacts]:
    """Return the emails of a new enrolment, each with its final template."""
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
    """Return why a late reminder is skipped in favour of the next one, which is now closer to its due time."""
    middle = due + (next_due - due) / 2
    unit = HOUR if call_at - middle > HOUR else MINUTE
    before = -((middle - call_at) // unit) * unit
    fits_better = next_due <= now or middle < now
    return f"the call was in less than {spoken(before)}" if due <= now and fits_better else None


def too_late(email: Timed, max_lateness: timedelta, now: datetime) -> str | None:
    """Return why an email can no longer go: the booking has begun, or it is later than its sequence allows."""
    if email.latest_at is not None:
        return CALL_HAD_BEGUN if now >= email.latest_at else None
    wanted_at = email.was_due_at or email.due_at
    return f"too late: over {spoken(max_lateness)} after its time" if now - wanted_at > max_lateness else None


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
