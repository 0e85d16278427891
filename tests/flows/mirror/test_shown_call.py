"""The call of a row: the next one that stands, whatever was told last, else the last one with what became of it."""

from datetime import UTC, datetime, timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.flows.mirror.shown_call import shown_call
from funnel_app.ledger.models import HookEvent
from funnel_app.ledger.models.bookings import Booking
from funnel_app.rules.calendar.bookings import BookingState

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BOOKED, CANCELLED, MOVED = BookingState.BOOKED, BookingState.CANCELLED, BookingState.MOVED


def day(number: float | None) -> datetime | None:
    return None if number is None else NOW + timedelta(days=number)


def booking(name: str, state: BookingState, at: float | None) -> Booking:
    return Booking(occurrence=name, state=state, call_at=day(at))


def told(event: Event, of: str = "", call_at: float | None = None, said: float = -0.5) -> HookEvent:
    return HookEvent(event=event, occurrence=of, call_at=day(call_at), happened_at=day(said), received_at=NOW)


UNDONE = told(Event.NO_SHOW_UNDONE, "e1", said=-0.1)


@pytest.mark.parametrize(
    ("booked", "hooks", "status", "at"),
    [
        ([], [], None, None),
        ([booking("e1", BOOKED, 2), booking("e2", CANCELLED, 5)], [], "Booked", 2),
        ([booking("e1", MOVED, 2), booking("e2", BOOKED, 5)], [], "Booked", 5),
        ([booking("e1", BOOKED, 9), booking("e2", BOOKED, 3), booking("e0", BOOKED, -3)], [], "Booked", 3),
        ([booking("s", BookingState.SERIES, 1), booking("e1", BOOKED, 9)], [], "Booked", 9),
        ([booking("e1", BOOKED, -3)], [], "Booked", -3),
        ([booking("e1", BOOKED, None)], [], "Booked", None),
        ([booking("e1", CANCELLED, 2), booking("e2", MOVED, 4)], [], "Cancelled", 2),
        ([booking("e1", MOVED, 4)], [], "Cancelled", 4),
        ([booking("e1", BOOKED, -1)], [told(Event.NO_SHOW, "e1")], "Missed", -1),
        ([booking("e1", BOOKED, -1)], [told(Event.NO_SHOW, "e1"), UNDONE], "Held", -1),
        ([booking("e1", BOOKED, -1), booking("e2", BOOKED, 4)], [told(Event.NO_SHOW, "e1")], "Booked", 4),
        ([booking("e1", BOOKED, -1), booking("e2", CANCELLED, 4)], [told(Event.NO_SHOW, "e1")], "Missed", -1),
        ([], [told(Event.NO_SHOW, "e1", -2)], "Missed", -2),
        ([], [told(Event.NO_SHOW, "e1")], "Missed", -0.5),
        ([booking("e1", BOOKED, -1)], [told(Event.MAYBE, call_at=-1)], "Held", -1),
        ([booking("e1", BOOKED, -1)], [told(Event.MAYBE, call_at=-2)], "Booked", -1),
    ],
)  # fmt: skip
def test_the_call_that_stands_is_shown(booked, hooks, status, at):
    shown = shown_call(hooks, booked, NOW)
    assert (shown.status, shown.at) == (status, day(at))
