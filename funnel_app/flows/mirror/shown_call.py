"""Shown call: which of a person's bookings a row shows, and its outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from funnel_app.campaigns.model import Event
from funnel_app.ledger.models import HookEvent
from funnel_app.ledger.models.bookings import Booking
from funnel_app.rules.calendar.bookings import BookingState

OUTCOMES = {
    Event.NO_SHOW: "Missed",
    Event.NO_SHOW_UNDONE: "Held",
    Event.MAYBE: "Held",
}
LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class ShownCall:
    """One booking: outcome and start; both None for a person without bookings."""

    status: str | None = None
    at: datetime | None = None


def shown_call(hooks: Sequence[HookEvent], booked: Sequence[Booking], now: datetime) -> ShownCall:
    """Return the next booking that stands, else the last one, with its latest outcome."""
    calls = sorted((each for each in booked if each.state != BookingState.SERIES), key=_time)
    standing = [call for call in calls if call.state == BookingState.BOOKED]
    coming = [call for call in standing if _time(call) >= now]
    told = max(
        (hook for hook in hooks if hook.event in OUTCOMES), key=lambda h: (_called(h, calls), _said(h)), default=None
    )
    over = _called(told, calls) if told else None
    if coming and (over is None or _time(coming[0]) > over):
        return ShownCall("Booked", coming[0].call_at)
    off = [call for call in calls if call.state == BookingState.CANCELLED]
    latest = (standing or off or calls)[-1:]
    if latest and (over is None or _time(latest[0]) > over):
        return ShownCall("Booked" if standing else "Cancelled", latest[0].call_at)
    return ShownCall(OUTCOMES[Event(told.event)], over) if told and told.event else ShownCall()


def _time(call: Booking) -> datetime:
    return call.call_at or LAST


def _called(hook: HookEvent, calls: Sequence[Booking]) -> datetime:
    """Return the start of the booking that an event reports on, as well as it is known."""
    known = next((call.call_at for call in calls if call.occurrence == hook.occurrence), None)
    return known or hook.call_at or _said(hook)


def _said(hook: HookEvent) -> datetime:
    return hook.happened_at or hook.received_at
