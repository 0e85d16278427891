"""Plan the emails of one enrolment: which, when, and who sends the first."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from funnel_app.campaigns.model import EmailOne, Mode, Sequence, Step
from funnel_app.campaigns.states import State
from funnel_app.campaigns.timing import due_at
from funnel_app.ledger.models import Email, EmailEvent
from funnel_app.ledger.types import new_id

SENT_BY_WEBSITE = "sent by the website"


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
            return self.sent_at is not None and self.status in {None, "sent"}
        return rule is EmailOne.WEBSITE


def anchor(first: FirstEmail, sequence: Sequence, given: datetime | None, now: datetime) -> datetime:
    """Return the time that steps count from, in whole seconds: the website's email 1, the call, or now."""
    at = given or now
    if first.sent_by_website(sequence) and first.sent_at is not None:
        at = min(first.sent_at, now)
    return at.astimezone(UTC).replace(microsecond=0)


def plan_emails(
    sequence: Sequence, first: FirstEmail, anchor_at: datetime, *, mode: Mode, interval_seconds: int, now: datetime
) -> list[Email]:
    """Return the emails of a new enrolment, with the row of the timeline for each."""
    by_website = first.sent_by_website(sequence)
    return [
        _email(
            step,
            due_at(step, anchor_at, mode=mode, interval_seconds=interval_seconds),
            latest=anchor_at if sequence.before_anchor else None,
            skip=SENT_BY_WEBSITE if by_website and step.number == 1 else None,
            now=now,
        )
        for step in sequence.steps
    ]


def planned_events(planned: list[Email], now: datetime) -> list[EmailEvent]:
    """Return the first row of each email's timeline."""
    return [
        EmailEvent(email_id=email.id, kind=email.state, at=now, recorded_at=now, detail=email.reason)
        for email in planned
    ]


def too_late(email: Email, max_lateness: timedelta, now: datetime) -> bool:
    """Say whether an email missed its time for good: the call has come, or it is later than the sequence allows."""
    if email.latest_at is not None:
        return now >= email.latest_at
    return now - email.due_at > max_lateness


def _email(step: Step, due: datetime, *, latest: datetime | None, skip: str | None, now: datetime) -> Email:
    return Email(
        id=new_id(),
        step=step.number,
        template_key=step.template,
        due_at=due,
        latest_at=latest,
        state=State.SKIPPED if skip else State.PLANNED,
        reason=skip,
        planned_at=now,
        skipped_at=now if skip else None,
    )
