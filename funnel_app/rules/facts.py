"""Facts: what the rules look at: a person, their enrolments, emails and earlier calls; immutable.

Field names are the ledger's columns.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from funnel_app.campaigns.reasons import Reason, ReasonCode
from funnel_app.campaigns.states import State
from funnel_app.rules.calendar.bookings import BookingFacts
from funnel_app.rules.ids import new_id
from funnel_app.rules.replaced import replaced
from funnel_app.rules.states import RUNNING, EnrolmentState, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailFacts:
    """One step of an enrolment."""

    id: UUID = field(default_factory=new_id)
    step: int
    template_key: str
    due_at: datetime
    latest_at: datetime | None = None
    state: State = State.PLANNED
    reason: str | None = None
    reason_code: ReasonCode | None = None
    request_id: UUID | None = None

    def moved(self, state: State, why: Reason) -> Self:
        """Return it in another state, with this reason."""
        return replaced(self, state=state, reason=why.words, reason_code=why.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolmentFacts:
    """One contact in one sequence, with its emails by step."""

    id: UUID = field(default_factory=new_id)
    contact_id: UUID
    hook_event_id: UUID | None = None
    campaign: str
    sequence: str
    occurrence: str = ""
    run: int = 1
    mode: str
    kind: str
    happened_at: datetime | None
    call_at: datetime | None = None
    anchor_at: datetime
    deadline: date
    plan: str | None = None
    state: EnrolmentState = EnrolmentState.ACTIVE
    exit_event: str | None = None
    exit_reason: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime
    ended_at: datetime | None = None
    emails: tuple[EmailFacts, ...] = ()

    @property
    def runs(self) -> bool:
        """Say whether it has not ended."""
        return self.state in RUNNING

    @property
    def started_at(self) -> datetime:
        """When its cause happened, by the source's latest message."""
        return self.happened_at or self.created_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An earlier call about a person."""

    campaign: str
    event: str | None
    occurrence: str | None
    outcome: Outcome
    received_at: datetime
    happened_at: datetime | None
    call_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFacts:
    """One person with all enrolments, oldest first, and the earlier calls that matter now."""

    id: UUID = field(default_factory=new_id)
    email: str
    email_norm: str
    first_name: str | None = None
    name: str | None = None
    business_name: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    timezone: str | None = None
    consent_at: datetime | None = None
    consent_text: str | None = None
    consent_source: str | None = None
    consent_ip: str | None = None
    unsubscribe_token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    created_at: datetime
    updated_at: datetime
    enrolments: tuple[EnrolmentFacts, ...] = ()
    heard: tuple[Heard, ...] = ()
    bookings: tuple[BookingFacts, ...] = ()

    @property
    def called(self) -> tuple[str | None, str | None]:
        """The name to address the person by."""
        return self.name, self.first_name

    def latest(self, campaign: str, sequence: str, occurrence: str) -> EnrolmentFacts | None:
        """Return the newest run of a sequence; None if it never started."""
        runs = self.runs_in(campaign, sequence, occurrence)
        return max(runs, key=lambda enrolment: enrolment.run, default=None)

    def runs_in(self, campaign: str, sequence: str, occurrence: str) -> list[EnrolmentFacts]:
        """Return all runs of a sequence."""
        wanted = (campaign, sequence, occurrence)
        return [e for e in self.enrolments if (e.campaign, e.sequence, e.occurrence) == wanted]

    def booking(self, campaign: str, occurrence: str) -> BookingFacts | None:
        """Return the person's booking of a calendar event; None if nothing is known of it."""
        return next((b for b in self.bookings if (b.campaign, b.occurrence) == (campaign, occurrence)), None)

    def enrolled_since(self, since: datetime) -> int:
        """Count the enrolments since a time, in all campaigns, except those about a booking."""
        return sum(enrolment.created_at >= since and not enrolment.occurrence for enrolment in self.enrolments)

    def with_enrolments(self, *changed: EnrolmentFacts) -> "ContactFacts":
        """Return the person with these enrolments, replacing those with the same ids."""
        if not changed:
            return self
        kept = {enrolment.id: enrolment for enrolment in self.enrolments}
        return replaced(self, enrolments=tuple({**kept, **{each.id: each for each in changed}}.values()))
