"""Which events end which sequences or keep them from starting, and what is cancelled then."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Campaign, Event, Sequence
from funnel_app.campaigns.reasons import Reason
from funnel_app.campaigns.states import State
from funnel_app.rules.calendar.bookings import BookingFacts
from funnel_app.rules.calendar.places import GIVE_UPS
from funnel_app.rules.facts import ContactFacts, EmailFacts, EnrolmentFacts
from funnel_app.rules.sequences.exit_words import in_words
from funnel_app.rules.states import EnrolmentState

OF_CALLS = GIVE_UPS | {Event.BOOKING}
NOT_GONE = frozenset({State.PLANNED, State.HELD, State.SKIPPED, State.CANCELLED, State.SUPPRESSED})


class Stoppable(Protocol):
    """An email, as a fact or as a row of the ledger."""

    @property
    def state(self) -> State:
        """Where it stands."""

    @property
    def request_id(self) -> UUID | None:
        """The request that carries it; None before the freeze."""


@dataclass(frozen=True, kw_only=True)
class Happening:
    """An event at its source: when it happened, about which calendar event, and that event's start."""

    event: Event
    occurrence: str = ""
    at: datetime
    call_at: datetime | None = None


def touches(happening: Happening, sequence: Sequence, start: Happening) -> bool:
    """Say whether an event ends a started sequence, or blocks its start, whichever of the two arrives first.

    Sequences about one booking are touched only by events about that booking, or by events that make it obsolete.
    Bookings, moves and cancellations are judged by `by_calls`.
    """
    if happening.event not in sequence.exits:
        return False
    if not sequence.per_occurrence:
        return True
    if happening.event is Event.NO_SHOW_UNDONE:
        return happening.occurrence == start.occurrence and happening.at >= start.at
    if happening.event is Event.MAYBE:
        # A decision to think it over settles the missed bookings before it.
        return happening.call_at is None or happening.call_at >= (start.call_at or start.at)
    return happening.event not in OF_CALLS


def touches_elsewhere(happening: Happening, sequence: Sequence, start: Happening) -> bool:
    """Say whether an event of another campaign ends a started sequence, or blocks its start.

    It does if it happened after the start, in whatever order the two arrive. Becoming a client counts for good.
    """
    if happening.event not in sequence.exits_elsewhere:
        return False
    return happening.event is Event.ONBOARDING or happening.at >= start.at


def by_calls(sequence: Sequence, start: Happening, contact: ContactFacts) -> Happening | None:
    """Return the booking event that ends or blocks a sequence about one booking; None if nothing does.

    That is the booking's own cancellation, or a later booking. A later one that was cancelled before this one was
    missed does not count.
    """
    own = contact.booking(sequence.campaign, start.occurrence)
    if own is not None and own.given_up is not None and own.given_up[1] in sequence.exits:
        return Happening(event=own.given_up[1], occurrence=own.occurrence, at=own.given_up[0])
    if Event.BOOKING not in sequence.exits:
        return None
    missed_at = (own.call_at if own else None) or start.call_at or start.at
    later = (b for b in contact.bookings if b.campaign == sequence.campaign and b.occurrence != start.occurrence)
    found = next((booking for booking in later if booking.counts_after(missed_at, start.at)), None)
    return _booked(found, start.at) if found else None


def _booked(booking: BookingFacts, otherwise: datetime) -> Happening:
    at = booking.booked_at or booking.told_at or otherwise
    return Happening(event=Event.BOOKING, occurrence=booking.occurrence, at=at, call_at=booking.call_at)


def ended_by(
    happening: Happening, campaign: Campaign, others: Mapping[str, Campaign], contact: ContactFacts, now: datetime
) -> list[EnrolmentFacts]:
    """Return the contact's running enrolments that this event ends, in their new state. Safe to repeat.

    `others` are the other campaigns by name, in which it may end something too.
    """
    own = [(e, _ending(campaign, contact, e, happening)) for e in contact.enrolments if e.campaign == campaign.name]
    theirs = [(e, _ending_elsewhere(others, e, happening)) for e in contact.enrolments if e.campaign != campaign.name]
    found = [(enrolment, by) for enrolment, by in (*own, *theirs) if enrolment.runs]
    return [_ended(e, by.event, in_words(by.event, by.at, ZoneInfo(campaign.timezone)), now) for e, by in found if by]


def _ending(
    campaign: Campaign, contact: ContactFacts, enrolment: EnrolmentFacts, happening: Happening
) -> Happening | None:
    """Return what ends an enrolment: the event itself, or the state of the bookings; None if it goes on."""
    sequence = campaign.sequences.get(enrolment.sequence)
    if sequence is None:
        return None
    start = start_of(sequence, enrolment)
    if sequence.per_occurrence and happening.event in OF_CALLS:
        return by_calls(sequence, start, contact)
    # An undone no-show ends a sequence only while nothing of it has gone: a lead who has read of it reads on.
    begun = happening.event is Event.NO_SHOW_UNDONE and any(email.state not in NOT_GONE for email in enrolment.emails)
    return happening if touches(happening, sequence, start) and not begun else None


def _ending_elsewhere(
    others: Mapping[str, Campaign], enrolment: EnrolmentFacts, happening: Happening
) -> Happening | None:
    campaign = others.get(enrolment.campaign)
    sequence = campaign.sequences.get(enrolment.sequence) if campaign else None
    if sequence is None:
        return None
    return happening if touches_elsewhere(happening, sequence, start_of(sequence, enrolment)) else None


def start_of(sequence: Sequence, enrolment: EnrolmentFacts) -> Happening:
    """Return the event that started an enrolment."""
    return Happening(
        event=sequence.starts_on,
        occurrence=enrolment.occurrence,
        at=enrolment.started_at,
        call_at=enrolment.call_at,
    )


def _ended(enrolment: EnrolmentFacts, event: Event, reason: str, now: datetime) -> EnrolmentFacts:
    return replace(
        enrolment,
        state=EnrolmentState.EXITED,
        exit_event=event.value,
        exit_reason=reason,
        ended_at=now,
        emails=tuple(_cancelled(email, reason) if can_be_stopped(email) else email for email in enrolment.emails),
    )


def _cancelled(email: EmailFacts, reason: str) -> EmailFacts:
    return email.moved(State.CANCELLED, Reason(reason))


def can_be_stopped(email: Stoppable) -> bool:
    """Say whether an email is not submitted: once frozen into a request it may be on its way."""
    return email.state in {State.PLANNED, State.HELD} or (email.state == State.SENDING and email.request_id is None)
