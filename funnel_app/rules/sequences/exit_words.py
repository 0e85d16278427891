"""How the end of a sequence is told: what happened, in the owner's words."""

from datetime import datetime
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.reasons import on_day

REASONS = {
    Event.OPT_IN: "opted in",
    Event.ASSESSMENT: "took the assessment",
    Event.BOOKING: "booked a call",
    Event.BOOKING_CANCELLED: "cancelled the call",
    Event.BOOKING_RESCHEDULED: "moved the call",
    Event.NO_SHOW: "missed a call",
    Event.NO_SHOW_UNDONE: "did not miss the call after all",
    Event.MAYBE: "asked for time to think after a call",
    Event.ONBOARDING: "became a client",
    Event.REPLY: "replied",
}
# How an enrolment ended early, as lists say it beside a name.
_ENDED_AS = {
    Event.OPT_IN: "opted in",
    Event.ASSESSMENT: "took the assessment",
    Event.BOOKING: "booked",
    Event.BOOKING_CANCELLED: "call cancelled",
    Event.BOOKING_RESCHEDULED: "call moved",
    Event.NO_SHOW: "missed a call",
    Event.NO_SHOW_UNDONE: "call took place",
    Event.MAYBE: "thinks it over",
    Event.ONBOARDING: "became a client",
    Event.REPLY: "replied",
}
_ENDED_BY_WORDS = {
    "unsubscribed": "unsubscribed",
    "bounce": "bounced",
    "mailbox": "bounced",
    "spam": "marked as spam",
    "erased": "erased",
    "suppress": "not mailed any more",
    "mail was stopped": "not mailed any more",
    "stopped by": "stopped by hand",
}


def in_words(event: Event, at: datetime, zone: ZoneInfo) -> str:
    """Return what happened and on which day, in the owner's words and time zone."""
    return f"{REASONS[event]} {on_day(at, zone)}"


def ended_as(event: str | None, reason: str | None) -> str:
    """Return in a word or two how an enrolment ended early: booked, became a client, unsubscribed, bounced."""
    if event in set(_ENDED_AS):
        return _ENDED_AS[Event(event)]
    words = (reason or "").lower()
    return next((told for sign, told in _ENDED_BY_WORDS.items() if sign in words), "ended")
