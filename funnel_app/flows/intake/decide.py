"""Decide what becomes of a call: work begun, a duplicate, or out of order and ignored with the reason."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.canary import CANARY
from funnel_app.campaigns.model import Campaign, Event, Mode, Sequence
from funnel_app.campaigns.reasons import on_date
from funnel_app.campaigns.season import OUT_OF_SEASON, is_open, opens_next
from funnel_app.campaigns.timing import deadline_after
from funnel_app.deps import Deps
from funnel_app.flows.intake.call import Call, fitted
from funnel_app.flows.intake.exit import Happening, told, touches
from funnel_app.flows.intake.plan import Timing
from funnel_app.ledger import enrolments, hook_events
from funnel_app.ledger.models import Contact, Enrolment, HookEvent, Outcome

PER_ADDRESS = 10, timedelta(days=1)
PER_IP = 30, timedelta(hours=1)


class TooManyEnrolments(Exception):
    """More sequences were started for one address, or from one IP address, than people do."""

    def __init__(self, what: str, retry_after: timedelta) -> None:
        super().__init__(
            f"Too many sequences were started {what}. Nothing was begun; a call to a hook is kept for a replay."
        )
        self.retry_after = retry_after


@dataclass(frozen=True)
class Case:
    """One call on its way through the transaction, with all that its rules look at."""

    deps: Deps
    session: Session
    campaign: Campaign
    contact: Contact
    call: Call
    now: datetime

    @property
    def sequence(self) -> Sequence | None:
        """The sequence that the call starts on this day of the year; None where it starts nothing."""
        if is_open(self.campaign.season, self.today):
            return self.campaign.started_by(self.call.event)
        return self.campaign.started_off_season(self.call.event)

    @property
    def rests(self) -> Sequence | None:
        """The sequence that the call would start in season, where out of it it starts nothing; else None."""
        return self.campaign.started_by(self.call.event) if self.sequence is None else None

    @property
    def today(self) -> date:
        """The day of the business."""
        return self.now.astimezone(ZoneInfo(self.campaign.timezone)).date()

    @property
    def occurrence(self) -> str:
        """What the call's sequence runs once per: the calendar event, or nothing."""
        return self.call.occurrence if self.sequence is None or self.sequence.per_occurrence else ""

    @property
    def happening(self) -> Happening:
        """The call at its source."""
        return self.call.happening(self.now)

    @property
    def mode(self) -> Mode:
        """The mode of what this call starts."""
        return Mode.CANARY if self.campaign.name == CANARY else self.deps.mode

    def timing(self, anchor_at: datetime) -> Timing:
        """Return how emails are timed that count from an anchor: by the mode of now, in the contact's time zone."""
        return Timing(
            campaign=self.campaign,
            deadline=deadline_after(self.campaign.deadline, self.today),
            anchor_at=anchor_at,
            mode=self.mode,
            interval_seconds=self.deps.settings.testing_interval_seconds,
            zone=ZoneInfo(self.contact.timezone or self.campaign.timezone),
        )


@dataclass(frozen=True)
class Decision:
    """What becomes of a call, why, and the enrolment that was there before."""

    outcome: Outcome
    reason: str | None = None
    before: Enrolment | None = None
    run: int = 1


def decide(case: Case) -> Decision:
    """Return what becomes of a call. Raises TooManyEnrolments where it would start one too many."""
    sequence = case.sequence
    if sequence is None:
        return _decide_by_itself(case) if case.rests is None else Decision(Outcome.IGNORED, _resting(case, case.rests))
    before = enrolments.find_latest(case.session, case.contact.id, case.campaign.name, sequence.name, case.occurrence)
    if before is not None and not _may_begin_again(sequence, before, case.happening):
        return Decision(Outcome.DUPLICATE, f"{sequence.name} was already started for this contact", before)
    blocking = _blocking(case, sequence)
    if blocking is not None:
        at = blocking.happened_at or blocking.received_at
        happened = told(Event(blocking.event or ""), at, ZoneInfo(case.campaign.timezone))
        return Decision(Outcome.IGNORED, f"{sequence.name} does not start: the contact already {happened}")
    _check_limits(case)
    return Decision(Outcome.ACCEPTED, run=before.run + 1 if before else 1)


def dedupe_key(case: Case, run: int) -> str:
    """Return what is unique among accepted calls: what one event starts in season and out of it are two things."""
    usual = case.campaign.started_by(case.call.event)
    instead = f":{case.sequence.name}" if case.sequence and case.sequence != usual else ""
    return fitted(f"{case.contact.id}:{case.campaign.name}:{case.call.event}:{run}:{case.occurrence}{instead}")


def _resting(case: Case, sequence: Sequence) -> str:
    reason = f"{sequence.name} does not start {OUT_OF_SEASON}"
    season = case.campaign.season
    return f"{reason}: it starts again {on_date(opens_next(season, case.today))}" if season else reason


def _decide_by_itself(case: Case) -> Decision:
    if hook_events.find_accepted(case.session, dedupe_key(case, run=1)) is None:
        return Decision(Outcome.ACCEPTED)
    return Decision(Outcome.DUPLICATE, "this is already recorded")


def _may_begin_again(sequence: Sequence, before: Enrolment, start: Happening) -> bool:
    if before.ended_at is None:
        return False
    taken_back = before.exit_event == Event.NO_SHOW_UNDONE and start.at > (before.happened_at or before.created_at)
    return taken_back or sequence.reentry == "after_end"


def _blocking(case: Case, sequence: Sequence) -> HookEvent | None:
    known = hook_events.heard(case.session, case.contact.id, case.campaign.name, sequence.exits)
    return next((event for event in known if touches(_happening(event), sequence, case.happening)), None)


def _happening(event: HookEvent) -> Happening:
    return Happening(
        event=Event(event.event or ""),
        occurrence=event.occurrence or "",
        at=event.happened_at or event.received_at,
        call_at=event.call_at,
    )


def _check_limits(case: Case) -> None:
    most, span = PER_ADDRESS
    if enrolments.count_since(case.session, case.now - span, contact_id=case.contact.id) >= most:
        raise TooManyEnrolments("for this address today", span)
    most, span = PER_IP
    ip = case.call.contact.get("consent_ip")
    if ip and enrolments.count_since(case.session, case.now - span, ip=str(ip)) >= most:
        raise TooManyEnrolments("from the IP address that the consent names", span)
