"""Play every pair (a sequence that runs, an event that arrives) through the real flow, and note what came of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from funnel_app.campaigns.model import Campaign, Event, Sequence
from funnel_app.deps import Deps
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.receipt import Receipt
from funnel_app.ledger import enrolments
from funnel_app.rules.calls.call import Call

THIS_CALL, ANOTHER_CALL = "this-call", "another-call"
PEOPLE = {
    Event.OPT_IN: "an opt-in",
    Event.ASSESSMENT: "an assessment",
    Event.MAYBE: "a maybe",
    Event.ONBOARDING: "onboarding",
    Event.REPLY: "a reply",
}
CALLS = {
    Event.BOOKING: "is booked",
    Event.BOOKING_CANCELLED: "is cancelled",
    Event.BOOKING_RESCHEDULED: "is given up for a new time",
    Event.NO_SHOW: "is missed",
    Event.NO_SHOW_UNDONE: "was not missed after all",
}


@dataclass(frozen=True)
class Arrival:
    """One kind of event as it arrives; about which call, and how far in the future that call is."""

    label: str
    event: Event
    occurrence: str = ""
    call_in: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What came of one event while one sequence ran, and of the sequence's start where the event had come before."""

    campaign: str
    sequence: str
    event: str
    ended: tuple[str, ...]
    started: str | None
    moved: bool
    answer: str
    reason: str | None
    late: str
    late_reason: str | None


def play(deps: Deps, campaign: Campaign) -> Iterator[Pair]:
    """Play all pairs of a campaign, each with a person of its own, on an empty ledger."""
    for sequence in campaign.sequences.values():
        start = _start(sequence)
        for arrival in _arrivals(sequence, start):
            yield _pair(_Player(deps, campaign, f"{sequence.name}-{arrival.label}"), sequence, start, arrival)


def _start(sequence: Sequence) -> Arrival:
    about_a_call = sequence.starts_on in CALLS
    call_in = timedelta(days=5 if sequence.before_anchor else -1) if about_a_call else None
    return Arrival("start", sequence.starts_on, THIS_CALL if about_a_call else "", call_in)


def _arrivals(sequence: Sequence, start: Arrival) -> Iterator[Arrival]:
    for event in Event:
        if event is Event.MAYBE and sequence.per_occurrence and event in sequence.exits:
            yield Arrival(f"{PEOPLE[event]} after this call", event, call_in=start.call_in)
            yield Arrival(f"{PEOPLE[event]} after an earlier call", event, call_in=timedelta(days=-9))
        elif event in PEOPLE:
            yield Arrival(PEOPLE[event], event)
        elif not sequence.per_occurrence:
            yield Arrival(f"a call {CALLS[event]}", event, THIS_CALL, timedelta(days=5))
        else:
            yield from _of_calls(event, start)


def _of_calls(event: Event, start: Arrival) -> Iterator[Arrival]:
    yield Arrival(f"this call {CALLS[event]}", event, THIS_CALL, start.call_in)
    if event is Event.BOOKING and start.event is Event.BOOKING and start.call_in:
        yield Arrival("this call is booked at another time", event, THIS_CALL, start.call_in + timedelta(days=1))
    yield Arrival(f"a later call {CALLS[event]}", event, ANOTHER_CALL, timedelta(days=9))
    yield Arrival(f"an earlier call {CALLS[event]}", event, ANOTHER_CALL, timedelta(days=-9))


def _pair(player: "_Player", sequence: Sequence, start: Arrival, arrival: Arrival) -> Pair:
    running = player.take("runs", start, hours=0)
    before = player.due(running)
    receipt = player.take("runs", arrival, hours=1)
    player.take("before", arrival, hours=0)
    late = player.take("before", start, hours=1)
    started = player.campaign.started_by(arrival.event)
    return Pair(
        campaign=player.campaign.name,
        sequence=sequence.name,
        event=arrival.label,
        ended=tuple(row["sequence"] for row in receipt.ended),
        started=started.name if started and receipt.status == "accepted" else None,
        moved=player.due(running) != before,
        answer=str(receipt.status),
        reason=receipt.reason,
        late=str(late.status),
        late_reason=late.reason,
    )


@dataclass(frozen=True)
class _Player:
    """One person and all that happens to them."""

    deps: Deps
    campaign: Campaign
    name: str

    def take(self, story: str, arrival: Arrival, *, hours: int) -> Receipt:
        now = self.deps.now() + timedelta(hours=hours)
        address = f"{self.name} {story}".replace(" ", "-") + "@resend.dev"
        call = Call(
            campaign=self.campaign.name,
            hook="pairs",
            event=arrival.event,
            email=address,
            email_norm=address.lower(),
            occurrence=arrival.occurrence,
            call_at=self.deps.now() + arrival.call_in if arrival.call_in is not None else None,
            happened_at=now,
        )
        return enrol(replace(self.deps, now=lambda: now), call)

    def due(self, receipt: Receipt) -> Mapping[int, datetime]:
        with self.deps.reads() as session:
            enrolment = enrolments.find(session, UUID(str(receipt.enrolment_id)))
            assert enrolment is not None  # it was started a moment ago
            return {email.step: email.due_at for email in enrolment.emails}
