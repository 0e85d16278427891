"""Calls of a simulation: what hooks would send for a made-up or a known lead."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from funnel_app.campaigns.model import Event
from funnel_app.flows.addresses import normalised
from funnel_app.flows.simulation.script import Script
from funnel_app.flows.templates.samples import ASSESSMENTS, NAMED, hook_values
from funnel_app.rules.calls.call import Call

NAMES = {"first_name": NAMED["first_name"], "business_name": NAMED["business_name"]}
OF_A_CALL = frozenset(
    {Event.BOOKING, Event.BOOKING_CANCELLED, Event.BOOKING_RESCHEDULED, Event.NO_SHOW, Event.NO_SHOW_UNDONE}
)
# Payloads of each event's hook.
TOLD = {
    Event.BOOKING: ("call_time", "reschedule_url"),
    Event.BOOKING_RESCHEDULED: ("call_time", "reschedule_url"),
    Event.NO_SHOW: ("scheduled_time", "reschedule_url"),
    Event.MAYBE: ("call_date", "objections"),
    Event.ONBOARDING: (
        "diagnostic_call_date",
        "observation_dates",
        "package_type",
        "portal_url",
        "salon_address",
        "start_date",
    ),
}
# A no-show without a booking.
MISSED_AGO = timedelta(minutes=30)


def call_of(
    script: Script, event: Event, address: str, occurrence: str, call_at: datetime | None, now: datetime
) -> Call:
    """Return an event as its hook would send it now; `occurrence` and `call_at` are its booking's."""
    at = call_at or now
    known = hook_values(now.astimezone(ZoneInfo(script.campaign.timezone)), None)
    known |= dict.fromkeys(("call_time", "scheduled_time", "call_date"), at.isoformat())
    facts = ASSESSMENTS[script.sample] if event is Event.ASSESSMENT else {}
    return Call(
        campaign=script.campaign.name,
        hook="simulation",
        source="simulation",
        event=event,
        email=address,
        email_norm=normalised(address),
        contact={} if script.lead else {**NAMES, **facts},
        variables={name: known[name] for name in TOLD.get(event, ())},
        occurrence=occurrence if event in OF_A_CALL else "",
        call_at=call_at if event in OF_A_CALL else None,
        happened_at=now,
    )
