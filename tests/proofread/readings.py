"""Who reads which starter, and when: the grid of all letters, each with what is so on that day."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import product
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from funnel_app.campaigns.catalogue import CATALOGUE, NAMES, Source
from funnel_app.campaigns.model import Mode, Step
from funnel_app.campaigns.registry import load_registry
from funnel_app.campaigns.states import State
from funnel_app.campaigns.timing import deadline_after
from funnel_app.campaigns.variables import CampaignFacts, FunnelFacts, values
from funnel_app.flows.templates.samples import ASSESSMENTS, NAMED, hook_values
from funnel_app.flows.templates.starters import find_starter
from funnel_app.letters.parts import prepare
from funnel_app.letters.render import Parts, Rendered, render
from funnel_app.letters.validation.syntax import parse
from funnel_app.rules.plan import FirstEmail, Timing, plan_emails

CAMPAIGN = load_registry().campaign("christmas")
STEPS = {step.template: step for sequence in CAMPAIGN.sequences.values() for step in sequence.steps}
TORONTO = ZoneInfo(CAMPAIGN.timezone)
ZONES = (TORONTO, ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Auckland"), ZoneInfo("America/Los_Angeles"))
HOUR = timedelta(hours=1)
FUNNEL = FunnelFacts(
    unsubscribe_url="https://funnel.example/u/token",
    company_name="BusinessX",
    company_address="Market Street, Toronto",
    current_year=2026,
    public_url="https://funnel.example",
)
# What is known of a lead: all of it, hardly anything, odd numbers, single ones.
LEADS: Mapping[str, Mapping[str, Any]] = {
    **ASSESSMENTS,
    "nothing": {},
    "score only": {"assessment_score": 12},
    "one count": {"orange_systems": 4},
    "zeros": {"assessment_score": 0, "red_systems": 0, "orange_systems": 0, "revenue_leak_total": 0},
    "odd": {"assessment_score": 38.333333333333336, "red_systems": 1, "revenue_leak_total": 52000.55},
    "small leak": {"assessment_score": 71, "red_systems": 0, "orange_systems": 1, "revenue_leak_total": 600},
    "large leak": {"assessment_score": 20, "red_systems": 8, "revenue_leak_total": 1_250_000},
}
BOOKINGS = (0, 11, 12, 40)
ASSESSMENT_NAMES = {name for name, variable in CATALOGUE.items() if variable.source == Source.ASSESSMENT}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One letter, and what is so when it is read; `call` is the call that it is about, in the reader's zone."""

    key: str
    lead: str
    at: datetime
    bookings: int = 0
    deadline: date
    call: datetime | None = None
    hook: Mapping[str, Any]

    @property
    def about(self) -> Mapping[str, Any]:
        """What is known of the lead."""
        return LEADS[self.lead]

    @property
    def day(self) -> date:
        """The day on which it is read."""
        return self.at.date()

    def letter(self, *, whole: bool = False) -> Rendered:
        """Return what the lead reads: its words, or the whole page too, which holds the same ones."""
        facts = CampaignFacts(
            deadline=self.deadline,
            today=self.at.astimezone(TORONTO).date(),
            bookings=self.bookings,
            zone=ZoneInfo(str(self.at.tzinfo)),
            now=self.at,
        )
        contact = {**NAMED, **self.about}
        funnel = replace(FUNNEL, current_year=self.at.year)
        return render(
            parts_of(self.key, whole=whole),
            values(CAMPAIGN, contact=contact, hook=self.hook, facts=facts, funnel=funnel),
        )

    def __str__(self) -> str:
        return f"{self.key} for {self.lead} on {self.at:%Y-%m-%d %H:%M} {self.at.tzinfo}, {self.bookings} booked"


@cache
def parts_of(key: str, *, whole: bool) -> Parts:
    """Return a starter as letters are made of it."""
    found = find_starter(key)
    assert found is not None, key
    parts = prepare(*found)
    return parts if whole else replace(parts, html="")


@cache
def names_of(key: str) -> frozenset[str]:
    """Return the variables that a starter names."""
    found = find_starter(key)
    assert found is not None, key
    return frozenset().union(*(parse("starter", source, NAMES).names for source in found))


def by_day(days: Iterable[date], leads: Iterable[str], bookings: Iterable[int]) -> Iterator[Reading]:
    """Go through all starters on these days, read at noon by leads who came as long before as the step is after.

    A starter that names nothing of a kind reads alike whatever that is, so it is read by few leads, or with one number.
    """
    days, leads, bookings = list(days), list(leads), list(bookings)
    for key, step in STEPS.items():
        readers = (
            leads if names_of(key) & ASSESSMENT_NAMES else [lead for lead in leads if lead in (leads[0], "nothing")]
        )
        booked = bookings if names_of(key) & {"bookings_count", "spots_remaining"} else bookings[:1]
        for day, lead, number in product(days, readers, booked):
            yield _at_noon(key, step, datetime.combine(day, time(12), TORONTO), lead, number)


def _at_noon(key: str, step: Step, at: datetime, lead: str, bookings: int) -> Reading:
    hook = hook_values(at, step)
    about_call = {"precall": "call_time", "noshow": "scheduled_time"}.get(key.split("_")[0])
    return Reading(
        key=key,
        lead=lead,
        at=at,
        bookings=bookings,
        deadline=deadline_after(CAMPAIGN.deadline, (at - max(step.delay, timedelta(0))).date()),
        call=datetime.fromisoformat(hook[about_call]).astimezone(TORONTO) if about_call else None,
        hook=hook if lead != "nothing" else {name: hook[name] for name in ("call_time", "scheduled_time", "call_date")},
    )


def by_distance(calls: Iterable[datetime], hours: Iterable[int]) -> Iterator[Reading]:
    """Go through the reminders that are planned for who books a call this long before it, each when it goes."""
    for call in calls:
        for distance in hours:
            booked_at = (call - distance * HOUR).astimezone(UTC)
            for email in _planned("precall_prep", call, booked_at):
                yield _of_call(email.template_key, call, max(email.due_at, booked_at), "call_time")


def by_report(calls: Iterable[datetime], hours: Iterable[int]) -> Iterator[Reading]:
    """Go through the letters to who missed a call, which was reported this long after it."""
    for call in calls:
        for distance in hours:
            reported_at = (call + distance * HOUR).astimezone(UTC)
            for email in _planned("noshow_recovery", call, reported_at):
                yield _of_call(email.template_key, call, email.due_at, "scheduled_time")


def _planned(sequence: str, call: datetime, now: datetime) -> list[Any]:
    found = CAMPAIGN.sequences[sequence]
    timing = Timing(
        campaign=CAMPAIGN,
        deadline=deadline_after(CAMPAIGN.deadline, now.date()),
        anchor_at=call.astimezone(UTC) if found.before_anchor else now,
        mode=Mode.LIVE,
        interval_seconds=60,
        zone=ZoneInfo(str(call.tzinfo)),
    )
    return [
        email for email in plan_emails(found, FirstEmail(), timing, now, UUID(int=0)) if email.state == State.PLANNED
    ]


def _of_call(key: str, call: datetime, at: datetime, name: str) -> Reading:
    local = at.astimezone(call.tzinfo)
    deadline = deadline_after(CAMPAIGN.deadline, local.date())
    return Reading(key=key, lead="urgent", at=local, deadline=deadline, call=call, hook={name: call.isoformat()})
