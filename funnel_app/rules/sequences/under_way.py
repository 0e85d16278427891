"""Under way: one enrolment with the plan it was made with and its sequence's current file."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from uuid import UUID
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Campaign, Mode, Sequence, Step
from funnel_app.campaigns.plan_text import as_planned, find_step, zone_of
from funnel_app.campaigns.reasons import Reason, ReasonCode
from funnel_app.campaigns.states import WAITING, State
from funnel_app.rules.facts import EmailFacts
from funnel_app.rules.sequences.plan import Timing

TAKEN_OUT = Reason("its step was taken out of the campaign's file", ReasonCode.STEP_TAKEN_OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row(EmailFacts):
    """The fields of an email row that a plan needs."""

    was_due_at: datetime | None = None
    asked_for_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class UnderWay:
    """One enrolment: its plan, its facts, its emails, and the current file."""

    campaign: Campaign
    sequence: Sequence
    plan: str
    contact_id: UUID
    timezone: str | None
    anchor_at: datetime
    deadline: date
    mode: Mode
    interval_seconds: int
    rows: tuple[Row, ...]
    now: datetime

    @cached_property
    def planned(self) -> Sequence:
        """The sequence as it was when this enrolment was planned."""
        return as_planned(self.plan, self.sequence)

    @property
    def is_comparable(self) -> bool:
        """Say whether both plans count from the same thing: a booking or the start."""
        return self.planned.before_anchor == self.sequence.before_anchor

    @property
    def is_busy(self) -> bool:
        """Say whether an email is in flight; such an enrolment is not changed."""
        return any(row.state is State.SENDING for row in self.rows)

    def timing(self, zone: str) -> Timing:
        """Return the timing, with this time zone for contacts without one."""
        return Timing(
            campaign=self.campaign,
            deadline=self.deadline,
            anchor_at=self.anchor_at,
            mode=self.mode,
            interval_seconds=self.interval_seconds,
            zone=ZoneInfo(self.timezone or zone),
        )

    @cached_property
    def old_due(self) -> list[datetime]:
        """When each step is due by the enrolment's plan, ignoring lateness."""
        return self.timing(zone_of(self.plan)).all_due(self.planned)

    @cached_property
    def new_due(self) -> list[datetime]:
        """When each step is due by the file, ignoring lateness."""
        return self.timing(self.campaign.timezone).all_due(self.sequence)

    @cached_property
    def partners(self) -> Mapping[int, int]:
        """The number in the plan of each step of the file that was there before."""
        return partners(self.planned, self.sequence)

    def row_of(self, step: Step) -> Row | None:
        """Return the email of a step of the file, preferring a waiting one; None if it has none."""
        old = self.partners.get(step.number)
        texts = {*step.variants, *(self.planned.step(old).variants if old else ())}
        found = [row for row in self.rows if row.template_key in texts and row.reason_code != TAKEN_OUT.code]
        return next((row for row in found if row.state in WAITING), next(iter(found), None))

    @cached_property
    def late_by(self) -> timedelta:
        """How late the enrolment runs: new steps are as late as the old ones."""
        pairs = [(self.row_of(self.sequence.step(new)), old) for new, old in self.partners.items()]
        found = [(row, old) for row, old in pairs if row and row.asked_for_at is None]
        # Sent emails may belong to an even older plan.
        waiting = [(row, old) for row, old in found if row.state in WAITING]
        late = (row.due_at - self.old_due[old - 1] for row, old in waiting or found)
        return max(max(late, default=timedelta()), timedelta())


def partners(before: Sequence, after: Sequence) -> dict[int, int]:
    """Return the number in an older plan of each step that is in both: by its text, else by its place (renamed)."""
    found: dict[int, int] = {}
    for old in before.steps:
        same = next((step for key in old.variants if (step := find_step(after, key))), None)
        if same and same.number not in found:
            found[same.number] = old.number
    alone = {old.number for old in before.steps} - set(found.values())
    renamed = {s.number: s.number for s in after.steps if s.number not in found and s.number in alone}
    return found | renamed
