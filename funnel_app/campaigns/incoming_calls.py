"""Incoming calls: what people call them and their senders."""

from collections.abc import Mapping

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.spoken import as_title

EVENTS: Mapping[str, str] = {
    Event.OPT_IN: "Sign-up",
    Event.NO_SHOW: "Missed call",
    Event.NO_SHOW_UNDONE: "Came to the call after all",
    Event.BOOKING_CANCELLED: "Booking called off",
    Event.BOOKING_RESCHEDULED: "Booking moved",
    Event.MAYBE: "Thinking it over",
    Event.ONBOARDING: "New client",
}
HOOKS = {
    "signup": "Sign-up",
    "noshow": "Missed call",
    "maybe": "Thinking it over",
    "onboarding": "New client",
    "calendly": "Calendly",
    "calcom": "Cal.com",
}
SENDERS = {
    "website": "the website",
    "prefect": "the website, at an earlier address",
    "calendly": "Calendly",
    "calcom": "Cal.com",
    "keyboard": "a person",
    "notion": "the history in Notion",
}


def called(event: str | None, hook: str) -> str:
    """Return the title of a call: by what it reports, else by where it came in."""
    return (EVENTS.get(event) or as_title(event)) if event else called_by_hook(hook)


def called_by_hook(hook: str) -> str:
    """Return the title of calls at a hook."""
    return HOOKS.get(hook) or as_title(hook)


def sender(source: str) -> str:
    """Return who sent a call, in words."""
    return SENDERS.get(source, source)
