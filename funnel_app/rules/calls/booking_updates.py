"""Booking updates: how a calendar's message changes bookings, one or a series, in whatever order messages arrive."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from funnel_app.campaigns.model import Event
from funnel_app.rules.calendar.bookings import BookingFacts, BookingState
from funnel_app.rules.calendar.places import ANY_PLACE
from funnel_app.rules.calendar.series import Series
from funnel_app.rules.calls.call import Call, fitted
from funnel_app.rules.ids import new_id
from funnel_app.rules.sequences.exit import OF_CALLS

Bookings = tuple[BookingFacts, ...]


def updated(bookings: Bookings, call: Call, at: datetime, new: BookingFacts) -> Bookings:
    """Return a person's bookings after one more message; `new` is the booking if it was unknown.

    Safe to repeat, and in any order.
    """
    if call.event not in OF_CALLS or not call.occurrence:
        return bookings
    known = {booking.occurrence: booking for booking in bookings if booking.campaign == call.campaign}
    others = tuple(booking for booking in bookings if booking.campaign != call.campaign)
    known[call.occurrence] = _heard(known.get(call.occurrence, new), call, at)
    if call.ends_series is not None:
        end = replace(new, id=new_id(), occurrence=fitted(f"series:{call.occurrence}"), state=BookingState.SERIES)
        end = known.get(end.occurrence, replace(end, call_at=call.call_at, series=call.ends_series.as_json()))
        known[end.occurrence] = end.heard(call.event, ANY_PLACE, at)
    return others + tuple(_without_ended(known.values()))


def _heard(booking: BookingFacts, call: Call, at: datetime) -> BookingFacts:
    if call.series is not None and (booking.series is None or call.series.id):
        booking = replace(booking, series=call.series.as_json())
    if call.event is Event.BOOKING:
        booking = booking.timed(call.call_at, at) if call.call_at else booking
        return booking.heard(call.event, call.place, call.happened_at)
    if call.ends_series is not None and not call.ends_series.names(call.call_at):
        return booking
    return booking.heard(call.event, call.place, at)


def _without_ended(bookings: Iterable[BookingFacts]) -> list[BookingFacts]:
    """Return bookings, cancelled if the series they belong to has ended."""
    bookings = list(bookings)
    for end in [booking for booking in bookings if booking.state is BookingState.SERIES]:
        bookings = [_ended(booking, end) for booking in bookings]
    return bookings


def _ended(booking: BookingFacts, end: BookingFacts) -> BookingFacts:
    given_up = end.place(ANY_PLACE)
    if booking.state is BookingState.SERIES or given_up.given_up_at is None or given_up.given_up_by is None:
        return booking
    if not _belongs(booking, end, given_up.given_up_at):
        return booking
    if booking.place(ANY_PLACE).heard(given_up.given_up_by, given_up.given_up_at) == booking.place(ANY_PLACE):
        return booking
    return booking.heard(given_up.given_up_by, ANY_PLACE, given_up.given_up_at)


def _belongs(booking: BookingFacts, end: BookingFacts, at: datetime) -> bool:
    mine, ended = Series.from_json(booking.series), Series.from_json(end.series)
    if mine is None or ended is None or booking.call_at is None:
        return False
    if ended.dates:
        return ended.names(booking.call_at) and ended.is_the(mine)
    return booking.call_at >= at and ended.includes(mine, booking.call_at, end.call_at)
