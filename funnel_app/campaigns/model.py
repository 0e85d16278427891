"""Campaign model: what is sent, when, and what starts and stops it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum
from uuid import UUID

from funnel_app.campaigns.catalogue import Variable

HOOKS = ("signup", "noshow", "maybe", "onboarding", "booking", "calendly", "calcom")
# What happens to a sequence out of season, unless another one stands in for it.
SAME, NOTHING = "same", "nothing"
# Whether a person may go through a sequence again.
NEVER, AFTER_END = "never", "after_end"


class Event(StrEnum):
    """What can happen to a contact."""

    OPT_IN = "opt_in"
    ASSESSMENT = "assessment"
    BOOKING = "booking"
    BOOKING_CANCELLED = "booking_cancelled"
    BOOKING_RESCHEDULED = "booking_rescheduled"
    NO_SHOW = "no_show"
    NO_SHOW_UNDONE = "no_show_undone"
    MAYBE = "maybe"
    ONBOARDING = "onboarding"
    REPLY = "reply"


class Kind(StrEnum):
    """The legal kind of an email: an unsubscribe ends marketing only."""

    MARKETING = "marketing"
    TRANSACTIONAL = "transactional"


class Mode(StrEnum):
    """Whether an enrolment is real, a test with short delays, or a canary."""

    LIVE = "live"
    TEST = "test"
    CANARY = "canary"


class EmailOne(StrEnum):
    """Who sends the first email of a sequence."""

    PAYLOAD = "payload"
    WEBSITE = "website"
    FUNNEL = "funnel"


@dataclass(frozen=True, slots=True)
class Step:
    """One email: its template, and how long after (negative: before) the anchor it is due.

    A delay in days counts calendar days of the recipient (`in_days`) and keeps the time of day. `title` is for people.
    A step that compares two texts has both in `templates`, the first also as `template`.
    """

    number: int
    template: str
    delay: timedelta
    test_intervals: int
    in_days: bool = False
    aliases: tuple[str, ...] = ()
    after_deadline: str | None = None
    season_only: bool = False
    title: str = ""
    templates: tuple[str, ...] = ()

    @property
    def variants(self) -> tuple[str, ...]:
        """The templates of which each lead gets one: several only if they are compared."""
        return self.templates or (self.template,)

    @property
    def minds_the_day(self) -> bool:
        """Say whether there are days on which it does not go."""
        return self.season_only or self.after_deadline == "skip"


@dataclass(frozen=True, slots=True)
class Season:
    """The days of the year on which a season is open: month and day of the first and the last."""

    name: str
    first: tuple[int, int]
    last: tuple[int, int]


@dataclass(frozen=True, slots=True)
class AtMost:
    """How many marketing emails one person may get within a span, across all sequences and campaigns."""

    emails: int
    span: timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """The hours of the day in which a sequence may send."""

    opens: time
    closes: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """A timed series of emails, with what starts, ends and blocks it; `title` is for people."""

    name: str
    title: str
    campaign: str
    flow: str
    handler: str
    starts_on: Event
    kind: Kind
    steps: tuple[Step, ...]
    exits: frozenset[Event]
    per_occurrence: bool
    email_1: EmailOne
    email_1_by_entrance: Mapping[str, EmailOne]
    reentry: str
    off_season: str
    window: Window | None
    max_lateness: timedelta
    # Of one person's emails that cannot all go, those with the larger number go first.
    priority: int = 0
    # Events of other campaigns that end it.
    exits_elsewhere: frozenset[Event] = frozenset()
    # Whether the steps count back from the anchor, as reminders of a booking do.
    before_anchor: bool = field(init=False)

    def __post_init__(self) -> None:
        """Derive fields from the steps."""
        object.__setattr__(self, "before_anchor", any(step.delay < timedelta(0) for step in self.steps))

    def step(self, number: int) -> Step:
        """Return a step by its number, from 1."""
        return self.steps[number - 1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One address for an event; `variables` are those that only this campaign takes from it."""

    name: str
    path: str
    legacy_paths: tuple[str, ...]
    legacy_id: UUID | None
    handler: str | None
    variables: Mapping[str, Variable] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One campaign file; `variables` are its own, the same for all its letters.

    An `extra` one is active only if a setting names it.
    """

    name: str
    title: str
    timezone: str
    season: Season | None
    deadline: tuple[int, int] | None
    capacity: int
    bookings_baseline: int
    calendly_link: str
    pdf_download_link: str
    tips: Mapping[str, tuple[str, ...]]
    sequences: Mapping[str, Sequence]
    hooks: Mapping[str, Hook]
    extra: bool = False
    at_most: AtMost | None = None
    variables: Mapping[str, str | int | float] = field(default_factory=dict)

    def started_by(self, event: Event) -> Sequence | None:
        """Return the sequence that an event starts in season; None if it starts none."""
        starters = (sequence for sequence in self.sequences.values() if sequence.starts_on == event)
        return next((sequence for sequence in starters if sequence.name not in self.stand_ins(event)), None)

    def started_off_season(self, event: Event) -> Sequence | None:
        """Return the sequence that an event starts out of season; None if it starts none then."""
        usual = self.started_by(event)
        return usual if usual is None or usual.off_season == SAME else self.sequences.get(usual.off_season)

    def stand_ins(self, event: Event) -> set[str]:
        """Return the sequences that replace others out of season."""
        return {sequence.off_season for sequence in self.sequences.values() if sequence.starts_on == event}

    def ended_by(self, event: Event) -> tuple[Sequence, ...]:
        """Return the sequences that an event ends."""
        return tuple(sequence for sequence in self.sequences.values() if event in sequence.exits)
