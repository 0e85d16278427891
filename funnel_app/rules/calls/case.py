"""Case: one call with everything its rules look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from funnel_app.campaigns.canary import CANARY
from funnel_app.campaigns.model import Campaign, Mode, Sequence
from funnel_app.campaigns.season import started_on
from funnel_app.campaigns.timing import deadline_of
from funnel_app.rules.calendar.bookings import BookingFacts
from funnel_app.rules.calls.call import Call, fitted
from funnel_app.rules.facts import ContactFacts
from funnel_app.rules.sequences.exit import Happening
from funnel_app.rules.sequences.plan import Timing


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call, the person as the call leaves them, and the circumstances.

    `others` are the other campaigns by name; the call's own may be among them. `is_news` says whether a calendar's
    message changed anything. `from_caller` counts the starts of the last hour from the visitor's address, `for_mailbox`
    those of the last day for the mailbox.
    """

    campaign: Campaign
    contact: ContactFacts
    call: Call
    now: datetime
    current_mode: Mode
    interval_seconds: int
    others: Mapping[str, Campaign] = field(default_factory=dict)
    is_news: bool = False
    from_caller: int = 0
    for_mailbox: int = 0

    @cached_property
    def sequence(self) -> Sequence | None:
        """The sequence that the call starts today; None if it starts none."""
        return started_on(self.campaign, self.call.event, self.today)

    @property
    def rests(self) -> Sequence | None:
        """The sequence that the call would start in season, if it starts none out of it; else None."""
        return self.campaign.started_by(self.call.event) if self.sequence is None else None

    @property
    def today(self) -> date:
        """The date in the business's time zone."""
        return self.now.astimezone(ZoneInfo(self.campaign.timezone)).date()

    @cached_property
    def occurrence(self) -> str:
        """What the sequence runs once per: the calendar event's id, or an empty text."""
        return self.call.occurrence if self.sequence is None or self.sequence.per_occurrence else ""

    @cached_property
    def happening(self) -> Happening:
        """The event at its source."""
        return self.call.happening(self.now)

    @property
    def booking(self) -> BookingFacts | None:
        """The person's booking that the event is about, with its latest state; None if nothing is known of it."""
        return self.contact.booking(self.campaign.name, self.call.occurrence)

    @cached_property
    def mode(self) -> Mode:
        """The mode of what this call starts."""
        return Mode.CANARY if self.campaign.name == CANARY else self.current_mode

    @cached_property
    def handler(self) -> str | None:
        """The handler that this call concerns; None if it starts and ends nothing."""
        concerned = self.sequence or self.rests or next(iter(self.campaign.ended_by(self.call.event)), None)
        return concerned.handler if concerned else None

    def timing(self, anchor_at: datetime) -> Timing:
        """Return how the emails count from their anchor: by the current mode, in the contact's time zone."""
        return Timing(
            campaign=self.campaign,
            deadline=deadline_of(self.campaign, self.today),
            anchor_at=anchor_at,
            mode=self.mode,
            interval_seconds=self.interval_seconds,
            zone=ZoneInfo(self.contact.timezone or self.campaign.timezone),
        )

    def dedupe_key(self, run: int) -> str:
        """Return the key that is unique among accepted calls; an off-season start has a key of its own."""
        usual = self.campaign.started_by(self.call.event)
        instead = f":{self.sequence.name}" if self.sequence and self.sequence != usual else ""
        return fitted(f"{self.contact.id}:{self.campaign.name}:{self.call.event}:{run}:{self.occurrence}{instead}")
